package docker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"time"

	"github.com/docker/cli/cli/config/types"
	helper "github.com/docker/docker-credential-helpers/client"
	helpers "github.com/docker/docker-credential-helpers/credentials"
)

// askHelper asks a credential helper for what it keeps for a registry, for no longer than patience. That it keeps nothing is no error.
func askHelper(ctx context.Context, name, host string, patience time.Duration) (types.AuthConfig, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("%s has not answered within %s", name, patience))
	defer cancel()
	got, err := helper.Get(func(args ...string) helper.Program { return newHelper(ctx, name, args) }, host)
	switch {
	case helpers.IsErrCredentialsNotFound(err):
		return types.AuthConfig{}, nil
	case err != nil && ctx.Err() != nil:
		return types.AuthConfig{}, context.Cause(ctx)
	case err != nil:
		return types.AuthConfig{}, fmt.Errorf("%s: %w", name, err)
	case got.Username == "<token>": // how helpers mark a token that stands for a login
		return types.AuthConfig{IdentityToken: got.Secret, ServerAddress: host}, nil
	}
	return types.AuthConfig{Username: got.Username, Password: got.Secret, ServerAddress: host}, nil
}

// helperProgram is a credential helper that ends with its context, and what it started with it: many are scripts around another program.
type helperProgram struct{ *exec.Cmd }

func newHelper(ctx context.Context, name string, args []string) helper.Program {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.WaitDelay = time.Second // what it left behind may hold its output open
	endAsGroup(cmd)
	return helperProgram{cmd}
}

// Input implements helper.Program.
func (p helperProgram) Input(in io.Reader) { p.Stdin = in }

// Output implements helper.Program. What a helper leaves running, an agent, does not spoil its answer.
func (p helperProgram) Output() ([]byte, error) {
	var out answer
	p.Stdout = &out
	err := p.Run()
	switch {
	case out.tooLong:
		return nil, errTooMuch
	case errors.Is(err, exec.ErrWaitDelay):
		err = nil
	}
	return out.text.Bytes(), err
}

// mostAnswer is far more than any login or token needs.
const mostAnswer = 64 << 10

var errTooMuch = errors.New("it prints without end")

// answer is what a helper prints, cut off where it cannot be an answer any more.
type answer struct {
	text    bytes.Buffer
	tooLong bool
}

// Write implements io.Writer. An error closes the helper's output.
func (a *answer) Write(p []byte) (int, error) {
	if a.text.Len()+len(p) > mostAnswer {
		a.tooLong = true
		return 0, errTooMuch
	}
	return a.text.Write(p)
}
