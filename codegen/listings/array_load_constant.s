	mov	rsi, qword ptr [rdi + 88]
	cmp	rsi, 3
	jbe	L0
	mov	rax, qword ptr [rdi + 80]
	mov	eax, dword ptr [rax + 392]
	ret
L0:
	push	rax
	lea	rdx, [rip + PLACE]
	mov	edi, 3
	call	qword ptr [rip + out_of_bounds@GOTPCREL]
