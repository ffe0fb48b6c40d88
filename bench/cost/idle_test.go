package cost_test

import (
	"crypto/tls"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stentor-audio/stentor/bench/process"
	"github.com/stentor-audio/stentor/bench/voice"
	"github.com/stentor-audio/stentor/client"
)

// settled is how long after the last handshake a relay has forgotten it, and
// watched how long it is measured.
const settled, watched = 20 * time.Second, 10 * time.Second

// What a relay does for those who ask for nothing, and for rooms in which nobody
// listens. It needs a program to start:
//
//	go build -o stentor ./cmd/stentor
//	STENTOR=$PWD/stentor go test -run '^$' -bench Idle -benchtime 1x ./bench/cost
func BenchmarkIdle(b *testing.B) {
	b.Run("standby", func(b *testing.B) {
		measureIdle(b, 1000, func(b *testing.B, url string, _ int) {
			s, err := client.Dial(b.Context(), url+"/r", dial)
			if err != nil {
				b.Fatal(err)
			}
			b.Cleanup(s.Close)
			time.Sleep(10 * time.Millisecond) // doors open 100 times a second
		})
	})
	b.Run("room", func(b *testing.B) { measureIdle(b, 100, speak) })
}

var dial = client.Options{TLS: &tls.Config{InsecureSkipVerify: true}} // a relay of this machine

// speak begins to speak in a room of its own.
func speak(b *testing.B, url string, i int) {
	s, err := client.NewSpeaker(client.SpeakOptions{Room: fmt.Sprintf("room-%d", i), Name: "ada", Relays: []string{url}, Dial: dial})
	if err != nil {
		b.Fatal(err)
	}
	go func() { _ = s.Run(b.Context()) }()
	if err := s.WaitReady(b.Context()); err != nil {
		b.Fatal(err)
	}
	go func() { _ = s.Play(b.Context(), endless{voice.Packet(80)}) }()
}

// endless is the same packet for ever.
type endless struct{ opus []byte }

// Next implements [client.PacketSource].
func (e endless) Next() ([]byte, float32, error) { return e.opus, 1, nil }

// measureIdle starts a relay, adds to it n times, and reports what each cost.
func measureIdle(b *testing.B, n int, add func(*testing.B, string, int)) {
	path := os.Getenv("STENTOR")
	if path == "" {
		b.Skip("STENTOR is the path of a program to measure")
	}
	for b.Loop() {
		child, err := process.Start(b.Context(), process.Options{Path: path, Args: []string{
			"relay", "--open", "--listen", "127.0.0.1:0", "--http", "", "--admin", "", "--log-level", "warn",
		}})
		if err != nil {
			b.Fatal(err)
		}
		url := strings.Fields(child.Ready())[1]
		m, err := process.Open(child.PID())
		if err != nil {
			b.Fatal(err)
		}
		before, empty := watch(b, m)
		for i := range n {
			add(b, url, i)
		}
		after, full := watch(b, m)
		b.ReportMetric(float64(full-empty)/float64(time.Microsecond)/watched.Seconds()/float64(n), "µs/s/each")
		b.ReportMetric(float64(after.RSS-before.RSS)/float64(n), "B/each")
		b.ReportMetric(float64(before.RSS), "B/relay")
		if err := child.Stop(); err != nil {
			b.Log(err) // it has sessions that do not go
		}
	}
}

// watch is what a relay uses, and how much processor time in the time watched.
func watch(b *testing.B, m *process.Meter) (process.Usage, time.Duration) {
	b.Helper()
	time.Sleep(settled)
	from, err := m.Read()
	if err != nil {
		b.Fatal(err)
	}
	time.Sleep(watched)
	to, err := m.Read()
	if err != nil {
		b.Fatal(err)
	}
	return to, to.CPU - from.CPU
}
