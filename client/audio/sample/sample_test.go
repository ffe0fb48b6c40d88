package sample

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/stentor-audio/stentor/client/audio"
)

func TestVoice(t *testing.T) {
	if len(Voice) > 150_000 {
		t.Errorf("%d bytes, 150,000 at most", len(Voice))
	}
	src, err := audio.New(bytes.NewReader(Voice), audio.Options{})
	if err != nil {
		t.Fatal(err)
	}
	info := src.Info()
	if info.Encoded || info.Channels != 1 || info.Damage != nil ||
		info.Duration < 20*time.Second || info.Duration > 35*time.Second {
		t.Errorf("%+v", info)
	}
	packets := 0
	for {
		packet, _, err := src.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil || len(packet) == 0 {
			t.Fatalf("packet %d: %d bytes, %v", packets, len(packet), err)
		}
		packets++
	}
	if got := time.Duration(packets) * 20 * time.Millisecond; got != info.Duration {
		t.Errorf("%v of packets in %v", got, info.Duration)
	}
}
