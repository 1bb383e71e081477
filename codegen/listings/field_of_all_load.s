	push	rax
	cmp	rcx, rsi
	jne	L5
	test	rcx, rcx
	je	L4
	dec	rcx
	movabs	r8, 2305843009213693951
	and	r8, rcx
	lea	rsi, [r8 + 1]
	mov	eax, esi
	and	eax, 3
	cmp	r8, 3
	jae	L0
	xor	ecx, ecx
	jmp	L2
L0:
	and	rsi, -4
	lea	r8, [rdi + 416]
	xor	ecx, ecx
L1:
	mov	r9, qword ptr [r8 - 384]
	mov	qword ptr [rdx], r9
	mov	r9, qword ptr [r8 - 256]
	mov	qword ptr [rdx + 8], r9
	mov	r9, qword ptr [r8 - 128]
	mov	qword ptr [rdx + 16], r9
	add	rcx, 4
	mov	r9, qword ptr [r8]
	mov	qword ptr [rdx + 24], r9
	add	rdx, 32
	add	r8, 512
	cmp	rsi, rcx
	jne	L1
	test	rax, rax
	je	L4
L2:
	shl	rcx, 7
	add	rcx, rdi
	add	rcx, 32
	xor	esi, esi
L3:
	mov	rdi, qword ptr [rcx]
	mov	qword ptr [rdx + 8*rsi], rdi
	inc	rsi
	sub	rcx, -128
	cmp	rax, rsi
	jne	L3
L4:
	pop	rax
	ret
L5:
	lea	rdx, [rip + PLACE]
	mov	rdi, rcx
	call	qword ptr [rip + other_length@GOTPCREL]
