	cmp	rsi, 3
	jbe	L0
	mov	eax, dword ptr [rdi + 392]
	ret
L0:
	push	rax
	lea	rdx, [rip + PLACE]
	mov	edi, 3
	call	qword ptr [rip + out_of_bounds@GOTPCREL]
