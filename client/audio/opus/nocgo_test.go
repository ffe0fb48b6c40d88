//go:build !cgo

package opus

import (
	"errors"
	"testing"
)

func TestWithoutCgo(t *testing.T) {
	if _, err := NewEncoder(EncoderConfig{}); !errors.Is(err, ErrNoCgo) {
		t.Error(err)
	}
	if _, err := NewDecoder(1); !errors.Is(err, ErrNoCgo) {
		t.Error(err)
	}
}
