	push	rax
	cmp	rdx, rsi
	jae	L0
	cmp	rcx, 14
	jae	L1
	shl	rdx, 7
	add	rdi, rdx
	mov	rax, qword ptr [rdi + 8*rcx + 16]
	pop	rcx
	ret
L0:
	lea	rax, [rip + PLACE]
	mov	rdi, rdx
	mov	rdx, rax
	call	qword ptr [rip + out_of_bounds@GOTPCREL]
L1:
	lea	rdx, [rip + PLACE]
	mov	esi, 14
	mov	rdi, rcx
	call	qword ptr [rip + out_of_bounds@GOTPCREL]
