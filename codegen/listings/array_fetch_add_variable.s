	mov	rax, qword ptr [rdi + 88]
	cmp	rsi, rax
	jae	L0
	mov	rax, qword ptr [rdi + 80]
	shl	rsi, 7
	lock		inc	qword ptr [rax + rsi]
	ret
L0:
	push	rax
	lea	rdx, [rip + PLACE]
	mov	rdi, rsi
	mov	rsi, rax
	call	qword ptr [rip + out_of_bounds@GOTPCREL]
