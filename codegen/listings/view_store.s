	mov	dword ptr [rdi + 8], esi
	ret
