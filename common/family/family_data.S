/* The chip tables (mcxn947.json) as bytes: family_data[0 .. family_data_len). */
	.section .rodata
	.global family_data
	.global family_data_len
	.balign 8
family_data:
	.incbin "mcxn947.json"
family_data_end:
	.byte 0
	.balign 8
family_data_len:
	.quad family_data_end - family_data
	.section .note.GNU-stack,"",@progbits
