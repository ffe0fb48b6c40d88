package hop

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/stentor-audio/stentor/bench/process"
)

// The kinds of network.
const (
	hosts    = "hosts"
	loopback = "loopback"
)

const (
	// joinWithin is how long relays may take to find each other, and listeners
	// to hear something.
	joinWithin = 60 * time.Second
	// settle is how long everybody has before it is learned what is normal.
	settle = 5 * time.Second
	// underWay is how old a frame may be that a strike still keeps from coming. It
	// is less than what is left out at the end of a time, so none counts twice.
	underWay = 500 * time.Millisecond
	// poll is how often something is asked that takes its time.
	poll = 100 * time.Millisecond
)

var (
	// ErrInterrupted says that a measurement was ended before its time.
	ErrInterrupted = errors.New("interrupted")
	// ErrSilence says that listeners hear nothing although nothing was struck.
	ErrSilence = errors.New("nothing is heard")
)

// A run is one measurement.
type run struct {
	o         Options
	site      *site
	dir       string // what relays keep
	token     string // the speaker's
	relays    []*relay
	newcomer  *relay // of Join; nil until then
	speaker   *process.Child
	listeners *process.Child
	ears      host // theirs
	stop      context.CancelCauseFunc
	watching  sync.WaitGroup
	result    Result
}

// Run measures. If it is ended early by ctx, which is [ErrInterrupted], or by an
// error, it returns that and the result until then, if there is any.
func Run(ctx context.Context, o Options) (*Result, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	r := &run{o: o}
	caller := ctx
	ctx, r.stop = context.WithCancelCause(ctx)
	err = r.prepare(ctx)
	if err == nil {
		err = r.strikes(ctx)
	}
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if caller.Err() != nil {
		err = ErrInterrupted
	}
	r.close()
	if r.result.Quiet.Expect == 0 {
		return nil, err
	}
	r.result.Partial = err != nil
	return &r.result, err
}

// prepare starts everything and waits until everybody hears.
func (r *run) prepare(ctx context.Context) (err error) {
	if r.site, err = newSite(r.o); err != nil {
		return err
	}
	r.describe()
	if r.site.network == nil {
		wished := len(r.o.Causes)
		r.o.Causes = slices.DeleteFunc(r.o.Causes, func(c Cause) bool { return c == Cut })
		if len(r.o.Causes) == 0 && wished > 0 {
			return fmt.Errorf("%w: nobody can be cut off: %w", ErrOptions, r.site.why)
		}
	}
	if r.dir, err = os.MkdirTemp("", "stentor-hop"); err != nil {
		return err
	}
	if r.token, err = writeKeys(r.dir); err != nil {
		return err
	}
	if err := r.startRelays(ctx); err != nil {
		return err
	}
	if err := r.startSpeaker(ctx); err != nil {
		return err
	}
	return r.startListeners(ctx)
}

// describe takes down what is measured.
func (r *run) describe() {
	r.result = Result{Relays: r.o.Relays, Listeners: r.o.Listeners, verbose: r.o.Verbose, DelayMS: r.o.Delay.Milliseconds(), Network: loopback}
	if r.site.network == nil {
		if r.site.why != nil {
			r.result.Note = "on the loopback, without a round trip, jitter, losses and cuts: " + r.site.why.Error()
		}
		return
	}
	c := r.o.Conditions
	ms := func(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
	r.result.Network, r.result.RTT, r.result.Jitter, r.result.Loss = hosts, ms(c.RTT), ms(c.Jitter), c.Loss
}

// startRelays starts the relays one after the other and waits until each knows
// all.
func (r *run) startRelays(ctx context.Context) error {
	var seeds []string
	for i := range r.o.Relays {
		r.o.Progress("relays starting", i, r.o.Relays)
		relay, err := newRelay(r.site, r.o, i, r.dir, seeds)
		if err != nil {
			return err
		}
		r.relays = append(r.relays, relay)
		if err := relay.start(ctx); err != nil {
			return err
		}
		if len(seeds) < 3 {
			seeds = append(seeds, relay.gossip)
		}
	}
	// Whoever comes back must find the others, the first one, too.
	for _, relay := range r.relays {
		for _, seed := range seeds {
			if seed != relay.gossip && !slices.Contains(relay.args, seed) {
				relay.args = append(relay.args, "--join", seed)
			}
		}
	}
	return until(ctx, joinWithin, func() error { return r.together(ctx) })
}

// together finds out whether every relay knows all.
func (r *run) together(ctx context.Context) error {
	for _, relay := range r.relays {
		if err := r.back(ctx, relay); err != nil {
			return err
		}
	}
	return nil
}

// until asks again and again until there is no error, or returns the last one.
func until(ctx context.Context, within time.Duration, try func() error) error {
	deadline := time.Now().Add(within)
	for {
		err := try()
		if err == nil || time.Now().After(deadline) {
			return err
		}
		if wait(ctx, poll) != nil {
			return context.Cause(ctx)
		}
	}
}

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

// part starts a process on a host.
func (r *run) part(ctx context.Context, h host, args ...string) (*process.Child, error) {
	child, err := process.Start(ctx, process.Options{
		Path: r.o.Executable, Args: append([]string{"bench"}, args...), Thread: h.thread(), ReadyWithin: joinWithin,
	})
	if err != nil {
		return nil, err
	}
	r.watching.Go(func() {
		select {
		case <-child.Done():
			r.stop(child.Err())
		case <-ctx.Done():
		}
	})
	return child, nil
}

// startSpeaker lets the speaker speak at two relays: the first ones, or those that
// their lobbies name.
func (r *run) startSpeaker(ctx context.Context) (err error) {
	args := []string{"hop-speaker", "--bytes", "80", "--token", r.token}
	if r.o.Direct {
		args = append(args, "--direct")
	}
	args = append(args, doorArgs(r.relays[:2])...)
	h, err := r.site.host()
	if err != nil {
		return err
	}
	r.speaker, err = r.part(ctx, h, args...)
	return err
}

// doorArgs name relays to a process of a speaker or of listeners.
func doorArgs(relays []*relay) (args []string) {
	for _, relay := range relays {
		args = append(args, "--relay", relay.url, "--zone", relay.zone)
	}
	return args
}

// startListeners lets the listeners in and waits until all of them have heard
// something.
func (r *run) startListeners(ctx context.Context) (err error) {
	args := []string{"hop-listeners", "--listeners", strconv.Itoa(r.o.Listeners), "--delay", r.o.Delay.String(),
		"--packet", r.o.Packet.String(), "--over", r.o.Over.String(), "--direct=" + strconv.FormatBool(r.o.Direct)}
	args = append(args, doorArgs(r.relays)...)
	r.o.Progress("listeners joining", 0, r.o.Listeners)
	from, before := time.Now(), r.usage()
	if r.ears, err = r.site.host(); err != nil {
		return err
	}
	if r.listeners, err = r.part(ctx, r.ears, args...); err != nil {
		return err
	}
	if err := wait(ctx, r.o.Over); err != nil {
		return err
	}
	to := time.Now()
	r.result.Joins = Joins{OverMS: r.o.Over.Milliseconds(), Busy: r.usage().since(before)}
	var report Report
	err = until(ctx, joinWithin, func() (err error) {
		if report, err = r.ask("learn"); err != nil {
			return err
		}
		r.o.Progress("listeners joining", r.o.Listeners-report.Deaf, r.o.Listeners)
		if report.Deaf > 0 {
			return ErrSilence
		}
		return nil
	})
	if errors.Is(err, ErrSilence) {
		return r.silent(ctx, report)
	}
	if err != nil {
		return err
	}
	return r.joined(ctx, report, from, to)
}

// joined takes down how the listeners came, who have learned now.
func (r *run) joined(ctx context.Context, learned Report, from, to time.Time) error {
	report, err := r.between(from, to)
	if err != nil {
		return err
	}
	j := &r.result.Joins
	j.First = quantilesOf(learned.FirstMS)
	j.Expect, j.Lost, j.After = report.Expected, report.Lost, r.spots(ctx, report)
	j.Spread = spreadOf(j.After)
	return nil
}

// spots are the relays with the listeners of a report.
func (r *run) spots(ctx context.Context, report Report) []Spot {
	for _, relay := range r.relays {
		if loads, err := relay.members(ctx); err == nil {
			return spotsOf(report.At, report.Standby, loads)
		}
	}
	return spotsOf(report.At, report.Standby, nil)
}

func because(r Report) string {
	if r.Error == "" {
		return ""
	}
	return ": " + r.Error
}

// ask gives the listeners a command.
func (r *run) ask(command string) (report Report, err error) {
	if err := r.listeners.Command(command); err != nil {
		return report, err
	}
	select {
	case line, ok := <-r.listeners.Lines():
		if !ok {
			<-r.listeners.Done()
			return report, r.listeners.Err()
		}
		if err := json.Unmarshal([]byte(line), &report); err != nil {
			return report, fmt.Errorf("listeners: %q: %w", line, err)
		}
		return report, nil
	case <-time.After(joinWithin):
		return report, fmt.Errorf("listeners: no answer to %q", command)
	}
}

// between asks for the frames of a time that is over.
func (r *run) between(from, to time.Time) (Report, error) {
	return r.ask(fmt.Sprintf("report %d %d", from.UnixMicro(), to.UnixMicro()))
}

// strikes lets happen what is planned, one after the other.
func (r *run) strikes(ctx context.Context) error {
	if err := wait(ctx, settle); err != nil {
		return err
	}
	if _, err := r.ask("learn"); err != nil {
		return err
	}
	from, before := time.Now(), r.usage()
	r.o.Progress("quiet", 0, 1)
	r.result.Trip = r.trip(ctx, r.ears)
	if err := wait(ctx, time.Until(from)+r.o.Quiet+r.o.Delay+time.Second); err != nil {
		return err
	}
	report, err := r.between(from, from.Add(r.o.Quiet))
	if err != nil {
		return err
	}
	r.result.Quiet = Outcome{from: from.UnixMicro(), Busy: r.usage().since(before)}.outcome(report)
	if report.Lost == report.Expected {
		return fmt.Errorf("%w%s", ErrSilence, because(report))
	}
	plan := Plan(r.o.Roles, r.o.Causes, r.o.Repeat)
	for i, s := range plan {
		r.o.Progress(fmt.Sprintf("%s, %s", s.Role, s.Cause), i, len(plan))
		if err := r.strikeOne(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// strikeOne lets one strike happen, and counts the frames from those that are
// then under way until the network has had its rest.
func (r *run) strikeOne(ctx context.Context, s Strike) error {
	tree, err := r.tree(ctx)
	if err != nil {
		return err
	}
	marked, err := r.ask("mark")
	if err != nil {
		return err
	}
	from, before := time.Now(), r.usage()
	outcome := Outcome{Role: s.Role, Cause: s.Cause, Before: r.spots(ctx, marked), from: from.UnixMicro()}
	var ended error
	switch s.Cause {
	case Restart:
		outcome, ended = r.restartAll(ctx, outcome, tree)
	case Join:
		outcome, ended = r.joinOne(ctx, outcome)
	default:
		outcome, ended = r.strikeRelays(ctx, outcome, tree)
	}
	if outcome.Skipped != "" {
		r.result.Kills = append(r.result.Kills, outcome)
		return ended
	}
	// What is under way or held by a player is not lost yet.
	to := time.Now().Add(-r.o.Delay - time.Second)
	report, err := r.between(from.Add(-underWay), to)
	if err != nil {
		return err
	}
	report.since(underWay)
	outcome.Busy = r.usage().since(before)
	outcome.After = r.spots(ctx, report)
	outcome.Spread = spreadOf(outcome.After)
	r.result.add(outcome, report)
	if s.Cause == Join && ended == nil {
		return r.newcomer.leave(ctx)
	}
	return ended
}

// back finds out whether a relay takes part again.
func (r *run) back(ctx context.Context, victim *relay) error {
	known, err := victim.members(ctx)
	if err == nil && len(known) < r.o.Relays {
		err = fmt.Errorf("%s knows %d relays of %d", victim.name, len(known), r.o.Relays)
	}
	return err
}

// tree asks the relays, one after the other, how the room gets to everybody.
func (r *run) tree(ctx context.Context) (tree Tree, err error) {
	for _, relay := range r.relays {
		if tree, err = relay.tree(ctx); err == nil {
			return tree, nil
		}
	}
	return tree, err
}

func (r *run) named(name string) *relay {
	i := slices.IndexFunc(r.relays, func(r *relay) bool { return r.name == name })
	if i < 0 {
		return nil
	}
	return r.relays[i]
}

// close ends everything, listeners first.
func (r *run) close() {
	r.stop(nil)
	r.watching.Wait()
	var ending sync.WaitGroup
	for _, child := range []*process.Child{r.listeners, r.speaker} {
		if child != nil {
			ending.Go(func() { _ = child.Stop() })
		}
	}
	ending.Wait()
	for _, relay := range r.relays {
		ending.Go(relay.close)
	}
	if r.newcomer != nil {
		ending.Go(r.newcomer.close)
	}
	ending.Wait()
	if r.site != nil {
		r.site.close()
	}
	if r.dir != "" {
		_ = os.RemoveAll(r.dir)
	}
}
