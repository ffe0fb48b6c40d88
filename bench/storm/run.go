package storm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	benchcrowd "github.com/stentor-audio/stentor/bench/crowd"
	"github.com/stentor-audio/stentor/bench/process"
	"github.com/stentor-audio/stentor/bench/tally"
	"github.com/stentor-audio/stentor/bench/voice"
	"github.com/stentor-audio/stentor/client"
	"github.com/stentor-audio/stentor/protocol"
)

const (
	turns    = 3 // of the costs of a join and of a handshake
	turnFor  = 2500 * time.Millisecond
	turnRate = 100 // newcomers a second, where it is about costs: fewer than the relay takes at first
	crush    = 32
	crushFor = 8 * time.Second // until the relay has found its pace
	calmFor  = 6 * time.Second
	share    = 0.8 // of the capacity, for the calm

	// peopleFor is for how many seconds of the capacity people come who wait; the
	// rest of the newcomers only look in.
	peopleFor = 20

	// stay is how long somebody listens who has come in. Longer, and the storm would
	// be one of many listeners as well.
	stay = 2 * time.Second

	slots   = 3                                    // Opus packets a datagram
	tooLate = 200*time.Millisecond - 3*voice.Every // for the frame that is due first
)

// A run is one storm.
type run struct {
	o      Options
	result *Result

	relay, bare, newcomers *process.Child
	relayMeter, bareMeter  *process.Meter
	address, url, lobby    string
	admin                  string

	session *client.Session
	voice   *voice.Voice
	crowd   *benchcrowd.Crowd
	grid    atomic.Pointer[tally.Grid] // of the phase
	before  *tally.Grid                // of the calm
	tasks   sync.WaitGroup
	hush    context.CancelFunc
}

// Run measures a storm. If something was measured although it ended early, it
// returns both.
func Run(ctx context.Context, o Options) (*Result, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	r := &run{o: o, result: &Result{}}
	defer r.close()
	err = r.measure(ctx)
	if ctx.Err() != nil {
		err = ErrInterrupted
	}
	if err != nil {
		r.result.Partial = true
		if r.result.Capacity == 0 {
			return nil, err
		}
	}
	return r.result, err
}

// measure goes through the phases.
func (r *run) measure(ctx context.Context) error {
	for _, phase := range []func(context.Context) error{r.start, r.costs, r.fill, r.capacity, r.calm, r.storm} {
		if err := phase(ctx); err != nil {
			return err
		}
	}
	return nil
}

// start starts the processes and the voice.
func (r *run) start(ctx context.Context) (err error) {
	r.o.Progress("starting", 0, 1)
	admin, err := freePort()
	if err != nil {
		return err
	}
	page, err := freePort()
	if err != nil {
		return err
	}
	r.admin, r.lobby = admin, "http://"+page+"/v1/rooms/bench/relays?purpose=listen"
	args := []string{"relay", "--open", "--listen", "127.0.0.1:0", "--http", page, "--admin", admin, "--name", "storm",
		"--log-level", "error", "--capacity", "20000", "--drain", "0s"}
	if r.o.JoinRate > 0 {
		args = append(args, "--join-rate", strconv.FormatFloat(r.o.JoinRate, 'f', -1, 64))
	}
	if r.relay, err = process.Start(ctx, process.Options{Path: r.o.Executable, Args: args}); err != nil {
		return err
	}
	_, r.url, _ = strings.Cut(r.relay.Ready(), " ")
	u, err := url.Parse(r.url)
	if err != nil {
		return err
	}
	r.address = u.Host
	if r.relayMeter, err = process.Open(r.relay.PID()); err != nil {
		return err
	}
	if r.bare, err = process.Start(ctx, process.Options{Path: r.o.Executable,
		Args: []string{"bench", "bare-server", "--packet", "20ms", "--bytes", "80"}}); err != nil {
		return err
	}
	if r.bareMeter, err = process.Open(r.bare.PID()); err != nil {
		return err
	}
	if r.newcomers, err = process.Start(ctx, process.Options{Path: r.o.Executable,
		Args: []string{"bench", "storm-newcomers"}, Thread: lowerPriority}); err != nil {
		return err
	}
	return r.speak(ctx)
}

// speak lets a voice talk until the end.
func (r *run) speak(ctx context.Context) (err error) {
	hop := client.NewHopID()
	if r.voice, err = voice.New("bench/voice", hop, 80); err != nil {
		return err
	}
	r.session, err = client.Dial(ctx, r.url, client.Options{Role: protocol.RolePublisher, HopID: hop, Publisher: r.voice})
	if err != nil {
		return fmt.Errorf("voice: %w", err)
	}
	talking, hush := context.WithCancel(context.WithoutCancel(ctx))
	r.hush = hush
	r.tasks.Go(func() { r.voice.Talk(talking, 1<<40) })
	return wait(ctx, time.Second)
}

// tell gives the newcomers an order and waits for their account.
func (r *run) tell(ctx context.Context, o order) (*account, error) {
	b, err := json.Marshal(o)
	if err != nil {
		return nil, err
	}
	if err := r.newcomers.Command(string(b)); err != nil {
		return nil, err
	}
	select {
	case line, ok := <-r.newcomers.Lines():
		if !ok {
			<-r.newcomers.Done()
			return nil, r.newcomers.Err()
		}
		var a account
		if err := json.Unmarshal([]byte(line), &a); err != nil {
			return nil, fmt.Errorf("newcomers: %w", err)
		}
		return &a, nil
	case <-r.relay.Done():
		return nil, r.relay.Err()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// costs measures in turns what a handshake costs quic-go alone, and a join the
// relay, at the same rate: whoever has more to do at a time wakes up more rarely for
// each. What both use when nobody comes is taken off.
func (r *run) costs(ctx context.Context) error {
	var joins, shakes []float64
	idle, err := r.cpu(ctx, r.relayMeter, func() (int, error) { return 1, wait(ctx, turnFor) })
	if err != nil {
		return err
	}
	profile := r.profile(ctx, turns*3*turnFor)
	for i := range turns {
		r.o.Progress("what a join costs", i, turns)
		_, bareAddress, _ := strings.Cut(r.bare.Ready(), " ")
		for _, side := range []struct {
			meter *process.Meter
			order order
			into  *[]float64
			idle  float64
		}{
			{r.bareMeter, order{Address: bareAddress}, &shakes, 0},
			{r.relayMeter, order{Address: r.address, Broadcast: r.voice.Path()}, &joins, idle},
		} {
			side.order.Seconds, side.order.Rate = turnFor.Seconds(), turnRate
			began := time.Now()
			n := 0
			each, err := r.cpu(ctx, side.meter, func() (int, error) {
				a, err := r.tell(ctx, side.order)
				if err != nil {
					return 0, err
				}
				if n = a.Admitted; n == 0 {
					return 0, fmt.Errorf("nobody could join: %s", a.Error)
				}
				return n, wait(ctx, 200*time.Millisecond) // the last connections close
			})
			if err != nil {
				return err
			}
			each -= side.idle * time.Since(began).Seconds() / turnFor.Seconds() / float64(n)
			*side.into = append(*side.into, each)
		}
	}
	r.result.CPUPerJoin, r.result.CPUPerHandshake = tally.Median(joins), tally.Median(shakes)
	r.result.Ratio = r.result.CPUPerJoin / r.result.CPUPerHandshake
	_ = r.bare.Stop()
	r.bare = nil
	return <-profile
}

// cpu is how many milliseconds a process used for each of what do counts.
func (r *run) cpu(_ context.Context, m *process.Meter, do func() (int, error)) (float64, error) {
	before, err := m.Read()
	if err != nil {
		return 0, err
	}
	n, err := do()
	if err != nil {
		return 0, err
	}
	after, err := m.Read()
	if err != nil {
		return 0, err
	}
	return float64(after.CPU-before.CPU) / float64(time.Millisecond) / float64(n), nil
}

// fill lets the listeners in who are established.
func (r *run) fill(ctx context.Context) (err error) {
	r.grid.Store(r.newGrid(calmFor))
	r.crowd, err = benchcrowd.Join(ctx, benchcrowd.Options{
		Address: r.address, Broadcast: r.voice.Path(), Track: protocol.Track60,
		Listeners: r.o.Listeners, Rate: 50,
		Arrived: func(listener int, d protocol.Datagram, at time.Time) {
			r.grid.Load().Record(listener, d.Sequence, at.Sub(r.voice.Sent(d.Sequence*slots+slots-1)))
		},
		Joined: func(n int) { r.o.Progress("listeners joining", n, r.o.Listeners) },
	})
	return err
}

// newGrid is for the listeners and a time.
func (r *run) newGrid(span time.Duration) *tally.Grid {
	return tally.New(r.o.Listeners, int((span+5*time.Second)/voice.Every/slots))
}

// capacity measures how many the relay takes when as many come as it takes.
func (r *run) capacity(ctx context.Context) error {
	r.o.Progress("how many can join", 0, 1)
	a, err := r.tell(ctx, order{Address: r.address, Broadcast: r.voice.Path(), Seconds: crushFor.Seconds(), Together: crush})
	if err != nil {
		return err
	}
	last, n := 0, 0
	for i := len(a.PerSecond) - 4; i < len(a.PerSecond)-1; i++ {
		if i >= 0 {
			last, n = last+a.PerSecond[i].Admitted, n+1
		}
	}
	if last == 0 {
		return fmt.Errorf("nobody could join: %d came, %d were told to wait: %s", a.Attempts, a.Refused, a.Error)
	}
	r.result.Capacity = float64(last) / float64(n)
	return wait(ctx, 2*time.Second)
}

// calm has fewer come than the relay takes, with an eye on those who are in.
func (r *run) calm(ctx context.Context) error {
	r.o.Progress("before the storm", 0, 1)
	r.before = r.grid.Load()
	r.before.Begin(r.voice.Next() / slots)
	calm, over := context.WithTimeout(ctx, calmFor)
	r.result.Established.OwnBefore = quantiles(own(calm))
	over()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	r.before.End(r.voice.Next()/slots - 1)
	a, err := r.tell(ctx, order{Address: r.address, Broadcast: r.voice.Path(), Seconds: calmFor.Seconds(),
		Rate: share * r.result.Capacity, Stay: stay.Seconds(), People: 1 << 20, After: 10, Lobby: r.lobby})
	if err != nil {
		return err
	}
	r.result.Calm.Joins, r.result.Calm.Deferred = a.Attempts, a.Deferred
	r.result.Calm.Join, r.result.Calm.FirstAudio = a.Join, a.Audio
	return wait(ctx, 2*time.Second)
}

// storm is the storm.
func (r *run) storm(ctx context.Context) error {
	before, err := r.relayMeter.Read()
	if err != nil {
		return err
	}
	r.result.RSSBefore = before.RSS
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	grid := r.newGrid(r.o.Duration)
	r.grid.Store(grid)
	grid.Begin(r.voice.Next() / slots)
	var watching sync.WaitGroup
	raging, over := context.WithTimeout(ctx, r.o.Duration)
	defer over()
	watching.Go(func() { r.speakers(raging) })
	watching.Go(func() { r.sample(ctx, time.Now()) })
	watching.Go(func() { r.result.Established.OwnDuring = quantiles(own(raging)) })
	watching.Go(func() {
		for i := 0; raging.Err() == nil; i++ {
			r.o.Progress("storm", i, int(r.o.Duration.Seconds()))
			_ = wait(raging, time.Second)
		}
		grid.End(r.voice.Next()/slots - 1) // the one that is under way may yet come
		if ctx.Err() == nil {
			r.o.Progress("those who wait", 0, 1)
		}
	})
	a, err := r.tell(ctx, order{Address: r.address, Broadcast: r.voice.Path(), Seconds: r.o.Duration.Seconds(),
		Rate: r.o.Factor * r.result.Capacity, Stay: stay.Seconds(), People: int(peopleFor * r.result.Capacity), After: r.o.After.Seconds(), Lobby: r.lobby})
	stop()
	watching.Wait()
	if err != nil {
		return err
	}
	r.take(a)
	return nil
}

// take makes a result of what the newcomers and those who were in say.
func (r *run) take(a *account) {
	res := r.result
	came := 0
	for i, s := range a.PerSecond {
		if float64(i) < a.Storm {
			came += s.Attempts
		}
	}
	res.Offered, res.StormS = float64(came)/a.Storm, a.Storm
	res.Joins, res.Admitted, res.Deferred, res.Silent, res.Failed = a.Attempts, a.Admitted, a.Deferred, a.Silent, a.Failed
	res.People, res.LeftOut, res.LastInS = int(peopleFor*res.Capacity), a.LeftOut, a.LastInS
	res.Join, res.FirstAudio = a.Join, a.Audio
	res.Wait = a.Wait
	res.seconds = a.PerSecond

	e := &res.Established
	e.Listeners = r.o.Listeners
	e.Gone = r.o.Listeners - r.crowd.Present()
	r.crowd.Close() // nothing arrives any more
	r.crowd = nil
	e.Before = quantiles(r.before.Delays(0, r.before.Groups()))
	grid := r.grid.Load()
	groups := grid.Groups()
	e.Expected = uint64(grid.Expected(0, groups))
	e.Lost = e.Expected - uint64(grid.Filled(0, groups))
	delays := grid.Delays(0, groups)
	e.During = quantiles(delays)
	for _, d := range delays {
		if time.Duration(d)*time.Microsecond > tooLate {
			e.Late++
		}
	}
	perSecond := int(time.Second / voice.Every / slots)
	for at := 0; at < groups; at += perSecond {
		e.Seconds = append(e.Seconds, quantiles(grid.Delays(at, at+perSecond)))
	}
}

// sample looks at the relay every half second.
func (r *run) sample(ctx context.Context, began time.Time) {
	last, err := r.relayMeter.Read()
	at := time.Now()
	for err == nil && wait(ctx, 500*time.Millisecond) == nil {
		var u process.Usage
		if u, err = r.relayMeter.Read(); err != nil {
			return
		}
		now := time.Now()
		r.result.samples = append(r.result.samples, sample{
			at:         now.Sub(began).Seconds(),
			cpuPercent: 100 * (u.CPU - last.CPU).Seconds() / now.Sub(at).Seconds(),
			rss:        u.RSS,
		})
		r.result.RSSMost = max(r.result.RSSMost, u.RSS)
		last, at = u, now
	}
}

// close ends everything.
func (r *run) close() {
	if r.newcomers != nil {
		_ = r.newcomers.Stop()
	}
	if r.crowd != nil {
		r.crowd.Close()
	}
	if r.hush != nil {
		r.hush()
	}
	r.tasks.Wait()
	if r.session != nil {
		r.session.Close()
	}
	for _, c := range []*process.Child{r.bare, r.relay} {
		if c != nil {
			_ = c.Stop()
		}
	}
}

// wait waits, or says why there is no use in it.
func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

var errProfile = errors.New("profile")
