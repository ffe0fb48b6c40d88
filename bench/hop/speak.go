package hop

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"

	"github.com/stentor-audio/stentor/bench/voice"
	"github.com/stentor-audio/stentor/client"
)

// speaker is who speaks.
const speaker = "ada"

// Speak is the process of the speaker: it speaks at two relays, those that a door's
// lobby names or the doors themselves, in one packet after the other, without a
// pause, by a token that may be empty. It writes "ready speaker" to out when the
// first relay has it, and ends with in or ctx.
func Speak(ctx context.Context, doors []Door, direct bool, jwt string, bytes int, in io.Reader, out io.Writer) error {
	if bytes < voice.MinBytes || bytes > client.MaxPacket {
		return fmt.Errorf("%w: packets of %d bytes: want %d to %d", ErrOptions, bytes, voice.MinBytes, client.MaxPacket)
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	relays, err := ingests(ctx, doors, direct)
	if err != nil {
		return err
	}
	s, err := client.NewSpeaker(client.SpeakOptions{
		Room: Room, Name: speaker, Relays: relays,
		Dial: client.Options{Token: jwt, TLS: &tls.Config{InsecureSkipVerify: true}}, // as listeners do
	})
	if err != nil {
		return err
	}
	ran := make(chan struct{})
	go func() {
		defer close(ran)
		stop(s.Run(ctx))
	}()
	go func() { // ends with in, which nothing interrupts
		_, _ = io.Copy(io.Discard, bufio.NewReader(in))
		stop(nil)
	}()
	err = s.WaitReady(ctx)
	if err == nil {
		_, err = fmt.Fprintln(out, "ready speaker")
	}
	if err == nil {
		err = s.Play(ctx, endless{voice.Packet(bytes)})
	}
	stop(nil)
	<-ran
	if cause := context.Cause(ctx); err == nil || errors.Is(cause, context.Canceled) {
		return nil
	}
	return err
}

// ingests are where to speak.
func ingests(ctx context.Context, doors []Door, direct bool) (urls []string, err error) {
	if !direct && len(doors) > 0 {
		return findRelays(ctx, doors, toSpeak, Room, 0, func(error) {})
	}
	for _, d := range doors {
		urls = append(urls, d.URL)
	}
	return urls, nil
}

// endless is the same packet for ever.
type endless struct{ opus []byte }

// Next implements [client.PacketSource].
func (e endless) Next() ([]byte, float32, error) { return e.opus, 1, nil }
