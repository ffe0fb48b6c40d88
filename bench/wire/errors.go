package wire

import "errors"

// ErrUnsupported says that this machine, or this user, cannot have such a
// network.
var ErrUnsupported = errors.New("no network of hosts here")
