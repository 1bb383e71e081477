	mov	eax, dword ptr [rdi + 8]
	ret
