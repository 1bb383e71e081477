	mov	rax, rsi
	mov	rcx, qword ptr [rdi]
	lock		xadd	qword ptr [rcx], rax
	ret
