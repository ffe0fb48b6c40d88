//go:build !cgo

package device

import (
	"errors"
	"testing"
)

func TestWithoutCgo(t *testing.T) {
	if _, err := OpenMicrophone(Config{}); !errors.Is(err, ErrNoCgo) {
		t.Error(err)
	}
	if _, err := OpenLoudspeaker(Config{}); !errors.Is(err, ErrNoCgo) {
		t.Error(err)
	}
}
