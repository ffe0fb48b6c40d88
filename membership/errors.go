package membership

import "errors"

var (
	// ErrRelay says that a description of a relay cannot be used: a field is
	// missing, too long or malformed, or the bytes are not a description.
	ErrRelay = errors.New("unusable description of a relay")

	// ErrNameTaken says that another relay of the network has this relay's name.
	// The one that was there first keeps it; the other has to be given another.
	ErrNameTaken = errors.New("the name is taken")

	// ErrKey says that a gossip key is not 32 bytes in hex or base64.
	ErrKey = errors.New("unusable gossip key")

	// ErrConfig says that a directory cannot start as it was told.
	ErrConfig = errors.New("membership configuration")

	errClosed = errors.New("the directory is closed")
)
