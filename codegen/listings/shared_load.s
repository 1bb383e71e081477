	mov	rax, qword ptr [rdi]
	mov	rax, qword ptr [rax]
	ret
