	push	rbp
	push	r15
	push	r14
	push	r13
	push	r12
	push	rbx
	mov	rdx, rsi
	and	rdx, -4
	mov	r11, rsi
	shr	r11, 2
	je	L0
	cmp	r11, 1
	jne	L1
	xor	ecx, ecx
	xor	r8d, r8d
	xor	eax, eax
	xor	r9d, r9d
	xor	r10d, r10d
	jmp	L3
L0:
	xor	ecx, ecx
	xor	r8d, r8d
	xor	eax, eax
	xor	r9d, r9d
	jmp	L4
L1:
	mov	rbx, r11
	and	rbx, -2
	lea	r14, [rdi + 896]
	xor	ecx, ecx
	xor	r8d, r8d
	xor	eax, eax
	xor	r9d, r9d
	xor	r10d, r10d
L2:
	mov	r15, qword ptr [r14 - 896]
	add	r15, r9
	mov	r12, qword ptr [r14 - 768]
	add	r12, rax
	mov	r13, qword ptr [r14 - 640]
	add	r13, rcx
	mov	rbp, qword ptr [r14 - 512]
	add	rbp, r8
	mov	r9, qword ptr [r14 - 384]
	add	r9, r15
	mov	rax, qword ptr [r14 - 256]
	add	rax, r12
	mov	rcx, qword ptr [r14 - 128]
	add	rcx, r13
	mov	r8, qword ptr [r14]
	add	r8, rbp
	add	r10, 8
	add	r14, 1024
	add	rbx, -2
	jne	L2
	test	r11b, 1
	je	L4
L3:
	mov	r11, r9
	mov	rbx, rax
	mov	r14, r8
	mov	r8, rcx
	shl	r10, 7
	mov	r9, qword ptr [rdi + r10]
	add	r9, r11
	mov	rax, qword ptr [rdi + r10 + 128]
	add	rax, rbx
	mov	rcx, qword ptr [rdi + r10 + 256]
	add	rcx, r8
	mov	r8, qword ptr [rdi + r10 + 384]
	add	r8, r14
L4:
	mov	r11, rdx
	sub	r11, rsi
	jne	L5
	xor	esi, esi
	jmp	L10
L5:
	mov	r10d, esi
	and	r10d, 3
	cmp	r11, -4
	jbe	L6
	xor	esi, esi
	jmp	L8
L6:
	and	rsi, -4
	shl	rsi, 7
	lea	rbx, [rsi + rdi]
	add	rbx, 384
	xor	esi, esi
	xor	r11d, r11d
L7:
	mov	r14, qword ptr [rbx - 384]
	add	r14, rsi
	mov	rsi, qword ptr [rbx - 256]
	mov	r15, qword ptr [rbx - 128]
	add	r15, rsi
	add	r15, r14
	mov	rsi, qword ptr [rbx]
	add	rsi, r15
	add	rbx, 512
	add	r11, -4
	jne	L7
	test	r10, r10
	je	L10
	sub	rdx, r11
L8:
	shl	rdx, 7
	add	rdi, rdx
	shl	r10d, 7
	xor	edx, edx
L9:
	mov	r11, qword ptr [rdi + rdx]
	add	rsi, r11
	sub	rdx, -128
	cmp	r10, rdx
	jne	L9
L10:
	add	r8, rcx
	add	rax, r9
	add	rax, r8
	add	rax, rsi
	pop	rbx
	pop	r12
	pop	r13
	pop	r14
	pop	r15
	pop	rbp
	ret
