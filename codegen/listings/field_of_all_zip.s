	test	rsi, rsi
	je	L1
	test	rcx, rcx
	je	L1
	shl	rcx, 3
	add	rcx, -8
	add	rdi, 32
	mov	eax, 1
L0:
	mov	r8, qword ptr [rdi]
	mov	qword ptr [rdx + 8*rax - 8], r8
	cmp	rax, rsi
	jae	L1
	inc	rax
	sub	rdi, -128
	test	rcx, rcx
	lea	rcx, [rcx - 8]
	jne	L0
L1:
	ret
