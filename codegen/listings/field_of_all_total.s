	test	rsi, rsi
	je	L0
	mov	ecx, esi
	and	ecx, 3
	cmp	rsi, 4
	jae	L1
	xor	edx, edx
	xor	eax, eax
	jmp	L3
L0:
	xor	eax, eax
	ret
L1:
	and	rsi, -4
	lea	r8, [rdi + 384]
	xor	edx, edx
	xor	eax, eax
L2:
	mov	r9, qword ptr [r8 - 384]
	add	r9, rax
	mov	rax, qword ptr [r8 - 256]
	mov	r10, qword ptr [r8 - 128]
	add	r10, rax
	add	r10, r9
	add	rdx, 4
	mov	rax, qword ptr [r8]
	add	rax, r10
	add	r8, 512
	cmp	rsi, rdx
	jne	L2
	test	rcx, rcx
	je	L5
L3:
	shl	rdx, 7
	add	rdi, rdx
	shl	ecx, 7
	xor	edx, edx
L4:
	mov	rsi, qword ptr [rdi + rdx]
	add	rax, rsi
	sub	rdx, -128
	cmp	rcx, rdx
	jne	L4
L5:
	ret
