package e2e

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/stentor-audio/stentor/client"
	"github.com/stentor-audio/stentor/client/audio"
	"github.com/stentor-audio/stentor/client/audio/sample"
)

// Who comes early to a room that was announced waits, is told when it begins, and
// hears it from the first word on.
func TestWhoComesEarlyHearsTheFirstWord(t *testing.T) {
	t.Parallel()
	r := startRelay(t, "--open")
	start(t, "room", "create", "town", "--relay", r.url, "--title", "Town hall", "--starts", "1h").succeed()
	if _, body := get(t, r.http+"/v1/rooms/town/relays"); !strings.Contains(body, `"starts":"20`) || !strings.Contains(body, `Z"`) {
		t.Errorf("lobby: %s", body)
	}
	src, err := audio.Open(writeFile(t, "voice.opus", sample.Voice), audio.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	ada, err := client.NewSpeaker(client.SpeakOptions{Room: "town", Name: "ada", Relays: []string{r.url}})
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() { _ = ada.Run(context.Background()) })
	t.Cleanup(func() { ada.Close(); running.Wait() })
	if err := ada.WaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	l := startListener(t, r, "town", "out.opus", "--speaker", "ada")
	if line := l.line(l.stderr, "Town hall"); !strings.Contains(line, "begins at") || !strings.Contains(line, "waiting") {
		t.Errorf("told %q", line)
	}
	start(t, "room", "start", "town", "--relay", r.url).succeed()
	l.line(l.stderr, "begins\n")
	running.Go(func() { _ = ada.Play(context.Background(), src) })
	follow(t, l.stats, "a second of speech", played(50))
	if tr := l.stop().flawless(t, "ada"); *tr.First != 0 {
		t.Errorf("the first %d frames are missing", *tr.First)
	}
	if _, body := get(t, r.http+"/v1/rooms/town/relays"); strings.Contains(body, `"starts"`) {
		t.Errorf("it has begun; lobby: %s", body)
	}
}
