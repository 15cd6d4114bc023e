package docker

import (
	"crypto/sha256"
	"debug/elf"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// executable is the program inside the worker image.
type executable struct {
	path string
	hash string // sha256 of its content, in hex
	size int64
}

// findExecutable returns the executable for an engine of that architecture: path itself when it is one, else its sibling
// understudy-linux-ARCH.
func findExecutable(path, arch string) (executable, error) {
	wrong := unfit(path, arch)
	if wrong == nil {
		return hashed(path)
	}
	sibling := filepath.Join(filepath.Dir(path), "understudy-linux-"+arch)
	if _, err := os.Stat(sibling); err != nil {
		return executable{}, wrong
	}
	if err := unfit(sibling, arch); err != nil {
		return executable{}, err
	}
	return hashed(sibling)
}

// unfit says why the file cannot be the worker of an engine of that architecture, and what to do.
func unfit(path, arch string) error {
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("cannot read the program the worker image is made of: %w", err)
	}
	defer file.Close()
	return unfitELF(file, path, arch)
}

func unfitELF(r io.ReaderAt, path, arch string) error {
	program, err := elf.NewFile(r)
	if want, known := machines()[arch]; err != nil || known && program.Machine != want {
		return fmt.Errorf("the engine runs linux/%s, %s does not; put one beside it that does: "+
			"GOOS=linux GOARCH=%s CGO_ENABLED=0 go build -o understudy-linux-%s .", arch, path, arch, arch)
	}
	for _, part := range program.Progs {
		if part.Type == elf.PT_INTERP {
			return fmt.Errorf("%s is not a static program, so it cannot run in an empty image; build it with make build, or CGO_ENABLED=0 go build", path)
		}
	}
	return nil
}

// machines names the architectures an engine may report in the words of an executable.
func machines() map[string]elf.Machine {
	return map[string]elf.Machine{
		"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64, "arm": elf.EM_ARM, "386": elf.EM_386,
		"riscv64": elf.EM_RISCV, "ppc64le": elf.EM_PPC64, "s390x": elf.EM_S390,
	}
}

func hashed(path string) (executable, error) {
	file, err := os.Open(path)
	if err != nil {
		return executable{}, err
	}
	defer file.Close()
	sum := sha256.New()
	size, err := io.Copy(sum, file)
	if err != nil {
		return executable{}, fmt.Errorf("cannot read the program the worker image is made of: %w", err)
	}
	return executable{path: path, hash: hex.EncodeToString(sum.Sum(nil)), size: size}, nil
}
