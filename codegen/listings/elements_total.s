	mov	rax, qword ptr [rdi + 16]
	mov	rcx, qword ptr [rdi + 24]
	add	rcx, rax
	mov	rax, qword ptr [rdi + 32]
	mov	rdx, qword ptr [rdi + 40]
	add	rdx, rax
	add	rdx, rcx
	mov	rax, qword ptr [rdi + 48]
	mov	rcx, qword ptr [rdi + 56]
	add	rcx, rax
	mov	rax, qword ptr [rdi + 64]
	add	rax, rcx
	add	rax, rdx
	mov	rcx, qword ptr [rdi + 72]
	mov	rdx, qword ptr [rdi + 80]
	add	rdx, rcx
	mov	rcx, qword ptr [rdi + 88]
	add	rcx, rdx
	mov	rdx, qword ptr [rdi + 96]
	add	rdx, rcx
	add	rdx, rax
	mov	rax, qword ptr [rdi + 104]
	mov	rcx, qword ptr [rdi + 112]
	add	rcx, rax
	mov	rax, qword ptr [rdi + 120]
	add	rax, rcx
	add	rax, rdx
	ret
