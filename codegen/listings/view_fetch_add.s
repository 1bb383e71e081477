	mov	rax, rsi
	lock		xadd	qword ptr [rdi], rax
	ret
