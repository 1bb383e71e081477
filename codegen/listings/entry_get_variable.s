	cmp	rdx, rsi
	jae	L0
	shl	rdx, 7
	mov	rax, qword ptr [rdi + rdx]
	ret
L0:
	xor	eax, eax
	ret
