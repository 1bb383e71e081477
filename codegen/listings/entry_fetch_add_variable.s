	cmp	rdx, rsi
	jae	L0
	shl	rdx, 7
	lock		xadd	qword ptr [rdi + rdx], rcx
	mov	rax, rcx
	ret
L0:
	push	rax
	lea	rax, [rip + PLACE]
	mov	rdi, rdx
	mov	rdx, rax
	call	qword ptr [rip + out_of_bounds@GOTPCREL]
