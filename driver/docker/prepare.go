package docker

import (
	"context"

	"understudy/driver"
)

// Prepare implements driver.Preparer: the image is there, pulled or built, the network too, and nothing in the spec will be refused.
// Where the spec says to pull always, this is when: starts use what the last Prepare pulled.
func (d *Driver) Prepare(ctx context.Context, spec driver.Spec) error {
	_, err := d.plan(ctx, spec, true)
	return err
}

// Resolve implements driver.Resolver.
func (d *Driver) Resolve(ctx context.Context, spec driver.Spec) (image string, err error) {
	p, err := d.plan(ctx, spec, true)
	if err != nil {
		return "", err
	}
	return p.image, nil
}
