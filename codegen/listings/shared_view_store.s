	mov	rax, qword ptr [rdi]
	mov	dword ptr [rax + 12], esi
	ret
