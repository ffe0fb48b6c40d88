package event

import (
	"encoding/json"
	"strings"
	"time"
)

// A Time is written to JSON in milliseconds.
type Time time.Duration

// Never is a time that does not come.
const Never = Time(-time.Millisecond)

// MarshalJSON implements [json.Marshaler].
func (t Time) MarshalJSON() ([]byte, error) {
	return json.Marshal(time.Duration(t).Milliseconds())
}

func (t Time) String() string {
	switch d := time.Duration(t); {
	case t == Never:
		return "never"
	case d >= 10*time.Second:
		return trim(d.Round(time.Second).String())
	case d >= time.Second:
		return d.Round(100 * time.Millisecond).String()
	default:
		return d.Round(time.Millisecond).String()
	}
}

// trim turns 10m0s into 10m, and 1h0m into 1h.
func trim(s string) string {
	for _, zero := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(s, zero) {
			s = s[:len(s)-2]
		}
	}
	return s
}
