//go:build !unix

package process

import "errors"

// errFreeze says that processes cannot be stopped here.
var errFreeze = errors.New("this system cannot stop a process and let it go on")

// Freeze fails: there is no such thing here.
func (c *Child) Freeze() error { return errFreeze }

// Thaw fails like Freeze.
func (c *Child) Thaw() error { return errFreeze }
