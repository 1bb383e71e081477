	cmp	rdx, rsi
	jae	L0
	shl	rdx, 7
	mov	dword ptr [rdi + rdx + 8], ecx
	ret
L0:
	push	rax
	lea	rax, [rip + PLACE]
	mov	rdi, rdx
	mov	rdx, rax
	call	qword ptr [rip + out_of_bounds@GOTPCREL]
