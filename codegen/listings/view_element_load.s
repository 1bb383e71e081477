	mov	rax, qword ptr [rdi + 56]
	ret
