/* ELF by libelf: what is loaded where by its program headers. Source: formats "firmware-inputs",
 * section 4. */
#include <elf.h>
#include <gelf.h>
#include <libelf.h>
#include <string.h>

#include "mfgpkg/firmware/reader.h"

static void elf_endp(Elf **elf)
{
	elf_end(*elf);
}

static int check_header(struct firmware_reader *r, Elf *elf, GElf_Ehdr *h, struct err *e)
{
	if (elf_kind(elf) != ELF_K_ELF || !gelf_getehdr(elf, h))
		return err_set(e, ERR_CONFIG, "%s: broken ELF header: %s", r->name, elf_errmsg(-1));
	if (h->e_ident[EI_CLASS] != ELFCLASS32)
		return err_set(e, ERR_CONFIG, "%s: 64-bit ELF, 32-bit is wanted", r->name);
	if (h->e_ident[EI_DATA] != ELFDATA2LSB)
		return err_set(
			e, ERR_CONFIG, "%s: big-endian ELF, little-endian is wanted", r->name);
	if (h->e_machine != EM_ARM)
		return err_set(e, ERR_CONFIG, "%s: ELF for machine %u, Arm (%d) is wanted", r->name,
			h->e_machine, EM_ARM);
	if (h->e_type != ET_EXEC && h->e_type != ET_DYN)
		return err_set(e, ERR_CONFIG,
			"%s: ELF of type %u, an executable (%d) is wanted: is it linked?", r->name,
			h->e_type, ET_EXEC);
	if (h->e_type == ET_DYN)
		firmware_warn(r, "a shared object (ET_DYN), taken as an executable");
	return 0;
}

/* A linker script may let the first segment begin with the ELF header itself. Then its content
 * begins with the lowest section that is loaded. */
static GElf_Off first_section_in(Elf *elf, const GElf_Phdr *ph)
{
	GElf_Off first = 0;

	for (Elf_Scn *scn = elf_nextscn(elf, NULL); scn; scn = elf_nextscn(elf, scn)) {
		GElf_Shdr sh;
		if (!gelf_getshdr(scn, &sh) || !(sh.sh_flags & SHF_ALLOC) ||
			sh.sh_type == SHT_NOBITS || sh.sh_size == 0 ||
			sh.sh_offset < ph->p_offset || sh.sh_offset - ph->p_offset >= ph->p_filesz)
			continue;
		if (first == 0 || sh.sh_offset < first)
			first = sh.sh_offset;
	}
	return first;
}

static int read_segment(struct firmware_reader *r, Elf *elf, GElf_Phdr *ph, struct err *e)
{
	if (ph->p_offset > r->len || ph->p_filesz > r->len - ph->p_offset)
		return err_set(e, ERR_CONFIG,
			"%s: program header %u: %llu bytes at offset %llu, the file has %zu",
			r->name, r->line, (unsigned long long)ph->p_filesz,
			(unsigned long long)ph->p_offset, r->len);
	if (ph->p_offset == 0) {
		GElf_Off first = first_section_in(elf, ph);
		firmware_warn(r,
			"program header %u loads the ELF header itself%s: check the linker script",
			r->line, first ? ", which is left out" : "");
		ph->p_offset += first;
		ph->p_paddr += first;
		ph->p_filesz -= first;
	}
	if (ph->p_paddr > UINT32_MAX)
		return err_set(e, ERR_CONFIG, "%s: program header %u: address beyond 4 GiB",
			r->name, r->line);
	return firmware_add(
		r, (uint32_t)ph->p_paddr, r->data + ph->p_offset, (size_t)ph->p_filesz, e);
}

int firmware_read_elf(struct firmware_reader *r, struct err *e)
{
	GElf_Ehdr h;
	size_t n;

	if (elf_version(EV_CURRENT) == EV_NONE)
		return err_set(e, ERR_INTERNAL, "libelf: %s", elf_errmsg(-1));
	/* libelf takes a non-const pointer but only reads an image opened this way. */
	Elf *opened = elf_memory((char *)(uintptr_t)r->data, r->len);
	AUTO(elf_endp) Elf *elf = opened;
	if (!elf)
		return err_set(e, ERR_CONFIG, "%s: broken ELF file: %s", r->name, elf_errmsg(-1));
	if (check_header(r, elf, &h, e) != 0)
		return -1;
	if (elf_getphdrnum(elf, &n) != 0 || n > FIRMWARE_MAX_SEGMENTS)
		return err_set(e, ERR_CONFIG, "%s: broken program header table", r->name);
	for (size_t i = 0; i < n; i++) {
		GElf_Phdr ph;
		r->line = (unsigned)i;
		if (!gelf_getphdr(elf, (int)i, &ph))
			return err_set(e, ERR_CONFIG, "%s: program header %zu: %s", r->name, i,
				elf_errmsg(-1));
		if (ph.p_type == PT_LOAD && ph.p_filesz > 0 && read_segment(r, elf, &ph, e) != 0)
			return -1;
	}
	r->out->has_entry = true;
	r->out->entry = (uint32_t)h.e_entry;
	return 0;
}
