	mov	rax, qword ptr [rdi]
	mov	qword ptr [rax], rsi
	ret
