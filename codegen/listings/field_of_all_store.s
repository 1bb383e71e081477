	test	rsi, rsi
	je	L4
	mov	eax, esi
	and	eax, 7
	cmp	rsi, 8
	jae	L0
	xor	ecx, ecx
	jmp	L2
L0:
	and	rsi, -8
	lea	r8, [rdi + 908]
	xor	ecx, ecx
L1:
	mov	dword ptr [r8 - 896], edx
	mov	dword ptr [r8 - 768], edx
	mov	dword ptr [r8 - 640], edx
	mov	dword ptr [r8 - 512], edx
	mov	dword ptr [r8 - 384], edx
	mov	dword ptr [r8 - 256], edx
	mov	dword ptr [r8 - 128], edx
	add	rcx, 8
	mov	dword ptr [r8], edx
	add	r8, 1024
	cmp	rsi, rcx
	jne	L1
	test	rax, rax
	je	L4
L2:
	shl	rcx, 7
	add	rcx, rdi
	add	rcx, 12
	shl	eax, 7
	xor	esi, esi
L3:
	mov	dword ptr [rcx + rsi], edx
	sub	rsi, -128
	cmp	rax, rsi
	jne	L3
L4:
	ret
