package token

import (
	"strings"
	"testing"

	"github.com/stentor-audio/stentor/protocol"
)

func TestSplit(t *testing.T) {
	tests := []struct {
		target string
		path   protocol.Path
		jwt    string
		bad    bool
	}{
		{"", "", "", false},
		{"/", "", "", false},
		{"/town//hall/", "town/hall", "", false},
		{"/town?jwt=a.b.c", "town", "a.b.c", false},
		{"town?jwt=a.b.c&x=1", "town", "a.b.c", false},
		{"?jwt=a.b.c", "", "a.b.c", false},
		{"/town?jwt=", "town", "", false},
		{"/town?jwt", "town", "", false},
		{"/town?jwt=a&jwt=b", "town", "b", false},
		{"/town?jwt=a&jwt=", "town", "", false},
		{"/town?JWT=a", "town", "", false},
		{"/caf%C3%A9?jwt=a%2Eb", "café", "a.b", false},
		{"/café", "café", "", false},
		{"/a%2Fb", "a/b", "", false},
		{"/a%2", "", "", true},
		{"/%FF", "", "", true},
		{"/a?jwt=%zz", "", "", true},
		{strings.Repeat("/a", protocol.MaxSegments+1), "", "", true},
	}
	for _, tt := range tests {
		path, jwt, err := Split(tt.target)
		if path != tt.path || jwt != tt.jwt || tt.bad != (err != nil) {
			t.Errorf("%.40q: %q %q %v", tt.target, path, jwt, err)
		}
	}
}
