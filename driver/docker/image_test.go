package docker

import (
	"bytes"
	"context"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	imagetypes "github.com/docker/docker/api/types/image"

	"understudy/driver"
	"understudy/driver/docker/enginetest"
	"understudy/driver/drivertest"
)

// importImage makes an image that knows nothing of us but happens to be the tests' worker: no user, no label. It is removed after the test.
func importImage(t *testing.T, d *Driver) string {
	t.Helper()
	bin, err := hashed(testWorker())
	if err != nil {
		t.Fatal(err)
	}
	var root bytes.Buffer
	if err := writeLayer(&root, bin); err != nil {
		t.Fatal(err)
	}
	ref := "understudy-test-" + strconv.FormatInt(time.Now().UnixNano(), 36) + ":latest"
	body, err := d.engine.api().ImageImport(t.Context(), imagetypes.ImportSource{Source: &root, SourceName: "-"}, ref,
		imagetypes.ImportOptions{Changes: []string{`CMD ["/understudy"]`, "ENV PORT=1"}})
	if err == nil {
		err = errors.Join(messages(body, func(message) {}), body.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { // before that of the driver, whose containers use it
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if _, err := d.Sweep(ctx, false); err != nil {
			t.Error(err)
		}
		if _, err := d.engine.api().ImageRemove(ctx, ref, imagetypes.RemoveOptions{}); err != nil {
			t.Error(err)
		}
	})
	return ref
}

func TestTheWorkerImageIsMadeOnceHoweverManyAsk(t *testing.T) {
	engine := newFakeEngine(t)
	d := engine.driver()
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			if err := d.Prepare(t.Context(), fakeSpec("a")); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if n := engine.Count("load"); n != 1 {
		t.Errorf("it was made %d times", n)
	}
	if err := engine.driver().Prepare(t.Context(), fakeSpec("a")); err != nil || engine.Count("load") != 1 {
		t.Errorf("another driver made it again, or failed: %v", err)
	}
	bin, _ := hashed(d.binary)
	engine.PutImage(workerRepository+":"+bin.hash[:12], "", map[string]string{labelWorkerImage: "somebody else's content"})
	if err := engine.driver().Prepare(t.Context(), fakeSpec("a")); err != nil || engine.Count("load") != 2 {
		t.Errorf("an image of that name with other content was used: %v", err)
	}
}

// Two balancers that make it at the same time must not each take the other's for a change that is to be rolled out.
func TestTheWorkerImageIsTheSameWhoeverMakesIt(t *testing.T) {
	t.Parallel()
	bin, err := hashed(ownWorker(t))
	if err != nil {
		t.Fatal(err)
	}
	ref := workerRepository + ":" + bin.hash[:12]
	ids := make(chan string, 8)
	var group sync.WaitGroup
	for range 4 {
		d := realDriver(t)
		group.Go(func() {
			for range 2 { // also again, where somebody's sweep took it meanwhile
				if err := d.loadImage(t.Context(), bin, ref); err != nil {
					t.Error(err)
				}
				if found, err := d.inspectImage(t.Context(), ref); err == nil {
					ids <- found.ID
				}
			}
		})
	}
	group.Wait()
	close(ids)
	first := <-ids
	for id := range ids {
		if id != first {
			t.Errorf("it is %s and %s", first, id)
		}
	}
	if first == "" {
		t.Error("nobody saw it")
	}
}

func TestAWorkerImageThatIsNotTakenIsToldAndTriedAgain(t *testing.T) {
	engine := newFakeEngine(t)
	d := engine.driver()
	d.binary = testWorker() // more than fits on the way to an engine that does not read it
	engine.Script("load", func(w http.ResponseWriter, r *http.Request) bool {
		io.Copy(io.Discard, r.Body)
		fmt.Fprintln(w, `{"status":"going on"}`)
		fmt.Fprintln(w, `{"errorDetail":{"message":"no space left on device"},"error":"no space left on device"}`)
		return true
	})
	if err := d.Prepare(t.Context(), fakeSpec("a")); err == nil || !has(err.Error(), "no space left") {
		t.Errorf("Prepare returns %v", err)
	}
	engine.Script("load", enginetest.Refuse(500, "boom")) // without reading the body
	if err := d.Prepare(t.Context(), fakeSpec("a")); err == nil || !has(err.Error(), "boom") {
		t.Errorf("Prepare returns %v", err)
	}
	engine.Script("load", nil)
	if _, err := d.Start(t.Context(), fakeSpec("a")); err != nil {
		t.Errorf("Start returns %v", err)
	}
}

func TestTheBinaryFitsTheEngineOrASiblingDoesOrOneSentenceSaysWhatToDo(t *testing.T) {
	dir := t.TempDir()
	put := func(name string, machine elf.Machine, parts ...elf.ProgType) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, program(machine, parts...), 0o755); err != nil {
			t.Fatal(err)
		}
		return path
	}
	static := put("static", elf.EM_X86_64, elf.PT_LOAD)
	dynamic := put("dynamic", elf.EM_X86_64, elf.PT_INTERP, elf.PT_LOAD)
	script := filepath.Join(dir, "script")
	write(t, dir, "script", "#!/bin/sh\n")
	if bin, err := findExecutable(static, "amd64"); err != nil || bin.path != static || len(bin.hash) != 64 || bin.size == 0 {
		t.Errorf("the fitting one gives %+v, %v", bin, err)
	}
	for _, tc := range []struct{ path, arch, want string }{
		{dynamic, "amd64", "make build"},
		{dynamic, "amd64", "CGO_ENABLED=0"},
		{static, "arm64", "GOOS=linux GOARCH=arm64 CGO_ENABLED=0 go build -o understudy-linux-arm64 ."},
		{script, "amd64", "GOOS=linux GOARCH=amd64 CGO_ENABLED=0 go build -o understudy-linux-amd64 ."},
		{filepath.Join(dir, "none"), "amd64", "cannot read"},
	} {
		if bin, err := findExecutable(tc.path, tc.arch); err == nil || !has(err.Error(), tc.want) {
			t.Errorf("%s on %s gives %+v, %v; want an error with %q", tc.path, tc.arch, bin, err, tc.want)
		}
	}
	sibling := put("understudy-linux-arm64", elf.EM_AARCH64, elf.PT_LOAD)
	for _, path := range []string{static, script} {
		if bin, err := findExecutable(path, "arm64"); err != nil || bin.path != sibling {
			t.Errorf("beside its sibling %s gives %+v, %v", path, bin, err)
		}
	}
	put("understudy-linux-arm64", elf.EM_AARCH64, elf.PT_INTERP)
	if _, err := findExecutable(static, "arm64"); err == nil || !has(err.Error(), "understudy-linux-arm64 is not a static program") {
		t.Errorf("a sibling that is not static gives %v", err)
	}
}

// program is the smallest executable of that machine with these parts.
func program(machine elf.Machine, parts ...elf.ProgType) []byte {
	var b bytes.Buffer
	header := elf.Header64{Type: uint16(elf.ET_EXEC), Machine: uint16(machine), Version: 1, Ehsize: 64, Phoff: 64, Phentsize: 56, Phnum: uint16(len(parts))}
	copy(header.Ident[:], elf.ELFMAG)
	header.Ident[elf.EI_CLASS], header.Ident[elf.EI_DATA], header.Ident[elf.EI_VERSION] = byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), 1
	binary.Write(&b, binary.LittleEndian, header)
	for _, part := range parts {
		binary.Write(&b, binary.LittleEndian, elf.Prog64{Type: uint32(part)})
	}
	return b.Bytes()
}

func TestAnEngineOfAnotherArchitectureMakesTheWorkerImageMissing(t *testing.T) {
	engine := newFakeEngineOf(t, enginetest.Options{Arch: "s390x"})
	_, err := engine.driver().Start(t.Context(), fakeSpec("a"))
	if !errors.Is(err, driver.ErrImageMissing) || !has(err.Error(), "GOARCH=s390x") {
		t.Errorf("Start returns %v", err)
	}
}

func TestAnImageOrNetworkRemovedMeanwhileIsMadeAgain(t *testing.T) {
	t.Parallel()
	d, other := realDriver(t), realDriver(t)
	d.binary = ownWorker(t)
	spec := workerSpec(t, "a")
	if err := d.Prepare(t.Context(), spec); err != nil {
		t.Fatal(err)
	}
	bin, err := hashed(d.binary)
	if err != nil {
		t.Fatal(err)
	}
	image := workerRepository + ":" + bin.hash[:12]
	there := func() bool {
		_, err := d.inspectImage(t.Context(), image)
		return err == nil
	}
	// What is asked is what is there and not what Sweep says: whoever else sweeps on this engine removes unused images too.
	if _, err := other.Sweep(t.Context(), false); err != nil || there() {
		t.Fatalf("after the Sweep of another instance the image that nobody uses is there: %v, %v", there(), err)
	}
	network, _ := d.findNetwork(t.Context(), sealedNetwork)
	if err := d.engine.api().NetworkRemove(t.Context(), network); err != nil {
		t.Fatal(err)
	}
	inst, err := d.Start(t.Context(), spec)
	if err != nil {
		t.Fatalf("Start: %v", err)
	}
	image = inspected(t, d, inst).Image // by its id: at this moment another sweep may just have taken its name
	if _, err := other.Sweep(t.Context(), false); err != nil || !there() {
		t.Errorf("after the Sweep of another instance the image that a worker uses is there: %v, %v", there(), err)
	}
	if _, err := d.Sweep(t.Context(), false); err != nil || there() { // also where a sweep of somebody else takes its name meanwhile
		t.Fatalf("after the Sweep of its instance the image is there: %v, %v", there(), err)
	}
	if all, err := d.listNetworks(t.Context()); err != nil || len(all) != 0 {
		t.Errorf("after the Sweep there are networks: %v, %v", all, err)
	}
}

func TestAnImageOfYoursRunsWithItsOwnUserAndYourCommand(t *testing.T) {
	t.Parallel()
	d := realDriver(t)
	spec := workerSpec(t, "a")
	spec.Image, spec.Pull = importImage(t, d), driver.PullMissing
	spec.Port = 9000
	spec.Command = []string{"/understudy", "--listen", ":$PORT", "${PORT}"}
	inst := mustStart(t, d, spec)
	if got := ask(t, inst, "/user"); got != "0:0" {
		t.Errorf("it runs as %s", got)
	}
	if got := ask(t, inst, "/env"); !has(got, "PORT=9000\n", "\n--listen\n:9000\n9000\n") {
		t.Errorf("its environment and arguments are %s", got)
	}
	if got := ask(t, inst, "/write?path=/x"); got != "" {
		t.Errorf("writing to its root: %s", got)
	}
}

func TestD20RealACommandThatIsNotThereIsAnExitError(t *testing.T) {
	t.Parallel()
	d := realDriver(t)
	spec := workerSpec(t, "a")
	spec.Image = importImage(t, d)
	spec.Command = []string{"/nope"}
	_, err := d.Start(t.Context(), spec)
	var exit *driver.ExitError
	if !errors.As(err, &exit) || exit.Code != 127 || !has(exit.Logs[0], "/nope") {
		t.Errorf("Start returns %v", err)
	}
	if all, err := d.List(t.Context()); err != nil || len(all) != 0 || !drivertest.Free(spec.HostPort) {
		t.Errorf("left behind: %+v, %v", all, err)
	}
}
