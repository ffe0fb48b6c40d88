package storm

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/stentor-audio/stentor/bench/process"
	"github.com/stentor-audio/stentor/bench/voice"
	"github.com/stentor-audio/stentor/client"
	"github.com/stentor-audio/stentor/protocol"
)

// A venue is a relay in a process of its own, and a voice that talks there.
type venue struct {
	relay               *process.Child
	meter               *process.Meter
	address, url, lobby string
	admin               string

	session *client.Session
	voice   *voice.Voice
	tasks   sync.WaitGroup
	hush    context.CancelFunc
}

// open starts a relay on the given processors, which begins joinRate handshakes a
// second, or as many as it finds right if that is zero.
func open(ctx context.Context, executable string, processors []int, joinRate float64) (v *venue, err error) {
	admin, err := process.FreePort()
	if err != nil {
		return nil, err
	}
	page, err := process.FreePort()
	if err != nil {
		return nil, err
	}
	args := []string{"relay", "--open", "--listen", "127.0.0.1:0", "--http", page, "--admin", admin, "--name", "storm",
		"--log-level", "error", "--capacity", "20000", "--drain", "0s"}
	if joinRate > 0 {
		args = append(args, "--join-rate", strconv.FormatFloat(joinRate, 'f', -1, 64))
	}
	v = &venue{admin: admin, lobby: "http://" + page + "/v1/rooms/bench/relays?purpose=listen"}
	v.relay, err = process.Start(ctx, process.Options{Path: executable, Args: args,
		Thread: func() error { return stayOn(processors) }})
	if err != nil {
		return nil, err
	}
	_, v.url, _ = strings.Cut(v.relay.Ready(), " ")
	u, err := url.Parse(v.url)
	if err == nil {
		v.address = u.Host
		v.meter, err = process.Open(v.relay.PID())
	}
	if err == nil {
		err = v.speak(ctx)
	}
	if err != nil {
		v.close()
		return nil, err
	}
	return v, nil
}

// speak lets the voice talk until the venue is closed.
func (v *venue) speak(ctx context.Context) (err error) {
	hop := client.NewHopID()
	if v.voice, err = voice.New("bench/voice", hop, 80); err != nil {
		return err
	}
	v.session, err = client.Dial(ctx, v.url, client.Options{Role: protocol.RolePublisher, HopID: hop, Publisher: v.voice})
	if err != nil {
		return fmt.Errorf("voice: %w", err)
	}
	talking, hush := context.WithCancel(context.WithoutCancel(ctx))
	v.hush = hush
	v.tasks.Go(func() { v.voice.Talk(talking, 1<<40) })
	return wait(ctx, time.Second)
}

func (v *venue) close() {
	if v.hush != nil {
		v.hush()
	}
	_ = v.relay.Stop() // and with it a profile that is being taken
	v.tasks.Wait()
	if v.session != nil {
		v.session.Close()
	}
}

// profile takes a CPU profile of the relay, if a file for it is named. The channel has why
// it could not be, or nil.
func (v *venue) profile(ctx context.Context, file string, over time.Duration) <-chan error {
	done := make(chan error, 1)
	if file == "" {
		done <- nil
		return done
	}
	v.tasks.Go(func() {
		err := process.Profile(ctx, v.admin, over, file)
		if err != nil {
			err = fmt.Errorf("profile: %w", err)
		}
		done <- err
	})
	return done
}
