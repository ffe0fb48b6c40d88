package protocol

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"testing"
	"testing/iotest"
)

// A message is what all messages have in common.
type message interface{ Append([]byte) []byte }

// A codec is one message's three functions, and how the vectors write it.
type codec struct {
	parse func([]byte) (message, int, error)
	read  func(*Reader) (message, error)
	value func(fields json.RawMessage) (message, error)
}

// codecs has every message by the name that the vectors give it.
var codecs = map[string]codec{
	"SETUP":              codecOf(ParseSetup, (*Reader).Setup, setupFields.value),
	"ANNOUNCE_REQUEST":   codecOf(ParseAnnounceRequest, (*Reader).AnnounceRequest, announceRequestFields.value),
	"ANNOUNCE_OK":        codecOf(ParseAnnounceOK, (*Reader).AnnounceOK, announceOKFields.value),
	"ANNOUNCE_BROADCAST": codecOf(ParseAnnounce, (*Reader).Announce, announceFields.value),
	"SUBSCRIBE":          codecOf(ParseSubscribe, (*Reader).Subscribe, subscribeFields.value),
	"SUBSCRIBE_UPDATE":   codecOf(ParseSubscribeUpdate, (*Reader).SubscribeUpdate, updateFields.value),
	"SUBSCRIBE_START":    responseCodec(Lite05, startFields.value),
	"SUBSCRIBE_END":      responseCodec(Lite05, endFields.value),
	"SUBSCRIBE_DROP":     responseCodec(Lite05, dropFields.value),
	"SUBSCRIBE_RESPONSE": responseCodec(Lite05, responseFields.value),
	"TRACK":              codecOf(ParseTrackRequest, (*Reader).TrackRequest, trackFields.value),
	"TRACK_INFO":         codecOf(ParseTrackInfo, (*Reader).TrackInfo, trackInfoFields.value),
	"FETCH":              codecOf(ParseFetch, (*Reader).Fetch, fetchFields.value),
	"PROBE":              codecOf(ParseProbe, (*Reader).Probe, probeFields.value),
	"GOAWAY":             codecOf(ParseGoaway, (*Reader).Goaway, goawayFields.value),
	"GROUP":              codecOf(ParseGroupHeader, (*Reader).GroupHeader, groupFields.value),
}

func codecOf[M message, F any](
	parse func([]byte) (M, int, error),
	read func(*Reader) (M, error),
	value func(F) M,
) codec {
	return codec{
		parse: func(b []byte) (message, int, error) { return erase3(parse(b)) },
		read:  func(r *Reader) (message, error) { return erase2(read(r)) },
		value: func(raw json.RawMessage) (message, error) {
			var f F
			err := strictJSON(raw, &f)
			return value(f), err
		},
	}
}

func responseCodec[M message, F any](v Version, value func(F) M) codec {
	return codecOf(
		func(b []byte) (message, int, error) { return erase3(ParseSubscribeResponse(b, v)) },
		func(r *Reader) (message, error) { return erase2(r.SubscribeResponse(v)) },
		func(f F) message { return value(f) },
	)
}

func erase2[M message](m M, err error) (message, error)             { return m, err }
func erase3[M message](m M, n int, err error) (message, int, error) { return m, n, err }

// A num is an integer that the vectors hold as a decimal string.
type num uint64

// UnmarshalJSON implements [json.Unmarshaler].
func (n *num) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	v, err := strconv.ParseUint(s, 10, 64)
	*n = num(v)
	return err
}

// A hexBytes is a byte string that the vectors hold in hexadecimal.
type hexBytes []byte

// UnmarshalJSON implements [json.Unmarshaler].
func (h *hexBytes) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	v, err := hex.DecodeString(s)
	*h = v
	return err
}

// strictJSON decodes, and fails if raw says something that v has no place for.
func strictJSON(raw []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	return d.Decode(v)
}

// What the vectors call the fields of each message.
type (
	setupFields struct {
		Probe num    `json:"probe"`
		Path  string `json:"path"`
		Role  num    `json:"role"`
		HopID num    `json:"hop_id"`
	}
	announceRequestFields struct {
		Prefix     Path `json:"prefix"`
		ExcludeHop num  `json:"exclude_hop"`
	}
	announceOKFields struct {
		HopID  num `json:"hop_id"`
		Active num `json:"active_count"`
	}
	announceFields struct {
		Status uint8 `json:"status"`
		Suffix Path  `json:"suffix"`
		Hops   []num `json:"hops"`
	}
	updateFields struct {
		Priority   uint8 `json:"priority"`
		Ordered    bool  `json:"ordered"`
		MaxLatency num   `json:"max_latency_ms"`
		Start      *num  `json:"group_start"`
		End        *num  `json:"group_end"`
	}
	subscribeFields struct {
		ID        num    `json:"subscribe_id"`
		Broadcast Path   `json:"broadcast"`
		Track     string `json:"track"`
		updateFields
	}
	startFields struct {
		Group num `json:"group"`
	}
	endFields  startFields
	dropFields struct {
		Start num `json:"start"`
		End   num `json:"end"`
		Error num `json:"error"`
	}
	responseFields struct {
		Type  num `json:"type"`
		Group num `json:"group"`
	}
	trackFields struct {
		Broadcast Path   `json:"broadcast"`
		Track     string `json:"track"`
	}
	trackInfoFields struct {
		Priority   uint8 `json:"priority"`
		Ordered    bool  `json:"ordered"`
		MaxLatency num   `json:"max_latency_ms"`
		Timescale  num   `json:"timescale"`
	}
	fetchFields struct {
		Broadcast Path   `json:"broadcast"`
		Track     string `json:"track"`
		Priority  uint8  `json:"priority"`
		Group     num    `json:"group"`
	}
	probeFields struct {
		Bitrate num `json:"bitrate"`
		RTT     num `json:"rtt_ms"`
	}
	goawayFields struct {
		URI string `json:"uri"`
	}
	groupFields struct {
		SubscribeID num `json:"subscribe_id"`
		Sequence    num `json:"sequence"`
	}
	frameFields struct {
		Timestamp num      `json:"timestamp"`
		Payload   hexBytes `json:"payload"`
	}
	datagramFields struct {
		SubscribeID num      `json:"subscribe_id"`
		Sequence    num      `json:"sequence"`
		Timestamp   num      `json:"timestamp"`
		Payload     hexBytes `json:"payload"`
	}
)

func (f setupFields) value() Setup {
	return Setup{Probe: ProbeLevel(f.Probe), Path: f.Path, Role: Role(f.Role), HopID: uint64(f.HopID)}
}

func (f announceRequestFields) value() AnnounceRequest {
	return AnnounceRequest{Prefix: f.Prefix, ExcludeHop: uint64(f.ExcludeHop)}
}

func (f announceOKFields) value() AnnounceOK {
	return AnnounceOK{HopID: uint64(f.HopID), Active: uint64(f.Active)}
}

func (f announceFields) value() Announce {
	m := Announce{Status: AnnounceStatus(f.Status), Suffix: f.Suffix}
	if f.Status == announceRestart {
		m.Status = AnnounceActive
	}
	for _, hop := range f.Hops {
		m.Hops = append(m.Hops, uint64(hop))
	}
	return m
}

func (f updateFields) delivery() Delivery {
	d := Delivery{Priority: f.Priority, Ordered: f.Ordered, MaxLatency: uint64(f.MaxLatency)}
	if f.Start != nil {
		d.Start = Seq(uint64(*f.Start))
	}
	if f.End != nil {
		d.End = Seq(uint64(*f.End))
	}
	return d
}

func (f updateFields) value() SubscribeUpdate { return SubscribeUpdate{f.delivery()} }

func (f subscribeFields) value() Subscribe {
	return Subscribe{ID: uint64(f.ID), Broadcast: f.Broadcast, Track: f.Track, Delivery: f.delivery()}
}

func (f startFields) value() SubscribeStart { return SubscribeStart{uint64(f.Group)} }
func (f endFields) value() SubscribeEnd     { return SubscribeEnd{uint64(f.Group)} }

func (f dropFields) value() SubscribeDrop {
	return SubscribeDrop{Start: uint64(f.Start), End: uint64(f.End), Code: uint64(f.Error)}
}

func (f responseFields) value() SubscribeResponse {
	switch f.Type {
	case typeStart:
		return SubscribeStart{uint64(f.Group)}
	case typeEnd:
		return SubscribeEnd{uint64(f.Group)}
	}
	return nil
}

func (f trackFields) value() TrackRequest { return TrackRequest(f) }

func (f trackInfoFields) value() TrackInfo {
	return TrackInfo{
		Priority: f.Priority, Ordered: f.Ordered,
		MaxLatency: uint64(f.MaxLatency), Timescale: uint64(f.Timescale),
	}
}

func (f fetchFields) value() Fetch {
	return Fetch{Broadcast: f.Broadcast, Track: f.Track, Priority: f.Priority, Group: uint64(f.Group)}
}

func (f probeFields) value() Probe   { return Probe{Bitrate: uint64(f.Bitrate), RTT: uint64(f.RTT)} }
func (f goawayFields) value() Goaway { return Goaway(f) }

func (f groupFields) value() GroupHeader {
	return GroupHeader{SubscribeID: uint64(f.SubscribeID), Sequence: uint64(f.Sequence)}
}

func (f frameFields) value() Frame {
	return Frame{Timestamp: uint64(f.Timestamp), Payload: f.Payload}
}

func (f datagramFields) value() Datagram {
	return Datagram{
		SubscribeID: uint64(f.SubscribeID), Sequence: uint64(f.Sequence),
		Timestamp: uint64(f.Timestamp), Payload: f.Payload,
	}
}

// unhex reads hexadecimal with spaces in it.
func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(string(bytes.ReplaceAll([]byte(s), []byte(" "), nil)))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// dripping is a Reader of b whose stream delivers a byte at a time.
func dripping(b []byte) *Reader { return NewReader(iotest.OneByteReader(bytes.NewReader(b))) }

// decodes checks that b is exactly the message want, for the parser and for a
// Reader, and that it is cut short by every shorter prefix.
func (c codec) decodes(t *testing.T, b []byte, want message) {
	t.Helper()
	got, n, err := c.parse(append(bytes.Clone(b), "next"...))
	if err != nil || n != len(b) || !reflect.DeepEqual(got, want) {
		t.Fatalf("parse %x\n got %+v, %d bytes, %v\nwant %+v, %d bytes", b, got, n, err, want, len(b))
	}
	for _, r := range []*Reader{NewReader(bytes.NewReader(b)), dripping(b)} {
		if got, err := c.read(r); err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("read %x\n got %+v, %v\nwant %+v", b, got, err, want)
		}
		if _, err := c.read(r); !isEOF(err) {
			t.Fatalf("after %x: %v, want EOF", b, err)
		}
	}
	for n := range b {
		if _, _, err := c.parse(b[:n]); !errors.Is(err, ErrShort) {
			t.Errorf("parse %x: %v, want ErrShort", b[:n], err)
		}
		if _, err := c.read(dripping(b[:n])); !isCut(err, n) {
			t.Errorf("read %x: %v, want an unexpected EOF", b[:n], err)
		}
	}
}

// isEOF reports whether err is io.EOF itself, as a Reader promises.
func isEOF(err error) bool { return err == io.EOF } //nolint:errorlint // nothing may wrap it

// isCut reports whether err is what a Reader says of a stream that ended after
// n bytes, inside the message.
func isCut(err error, n int) bool {
	if n == 0 {
		return isEOF(err)
	}
	return errors.Is(err, io.ErrUnexpectedEOF)
}

// agree checks that parser and Reader say the same of b, and that what they
// accept survives a round trip without growing.
func (c codec) agree(t *testing.T, b []byte) {
	t.Helper()
	m, n, err := c.parse(b)
	again, readErr := c.read(dripping(b))
	switch {
	case err == nil:
		if readErr != nil || !reflect.DeepEqual(m, again) {
			t.Fatalf("%x: parsed %+v, read %+v, %v", b, m, again, readErr)
		}
		wire := m.Append(nil)
		back, taken, err := c.parse(wire)
		if err != nil || taken != len(wire) || taken > n || !reflect.DeepEqual(m, back) {
			t.Fatalf("%x: %+v is written as %x and comes back as %+v, %v", b, m, wire, back, err)
		}
	case errors.Is(err, ErrShort):
		if !isCut(readErr, len(b)) {
			t.Fatalf("%x: parse says %v, read says %v", b, err, readErr)
		}
	case errors.Is(err, ErrMalformed):
		if fmt.Sprint(readErr) != fmt.Sprint(err) || !errors.Is(readErr, ErrMalformed) {
			t.Fatalf("%x: parse says %v, read says %v", b, err, readErr)
		}
	default:
		t.Fatalf("%x: %v is neither ErrShort nor ErrMalformed", b, err)
	}
}
