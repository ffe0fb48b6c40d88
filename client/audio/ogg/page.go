package ogg

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Flags of a page (RFC 3533 §6, header type).
const (
	flagContinued = 1 << iota // the first packet began on an earlier page
	flagFirst                 // first page of its stream
	flagLast                  // last page of its stream
)

const (
	capture     = "OggS"
	pageHeader  = 27  // up to the lacing values
	maxSegments = 255 // of a page
	maxSegment  = 255 // bytes; a shorter one, or an empty one, ends a packet
	noPosition  = -1  // granule position of a page on which no packet ends
)

// A page is the unit in which an Ogg file is written and checked (RFC 3533 §6):
//
//	"OggS" · version (1) · flags (1) · granule position (8) · serial (4) ·
//	sequence (4) · CRC (4) · number of segments (1) · their lengths · their bytes
//
// Numbers are little-endian.
type page struct {
	flags    byte
	granule  int64  // of the last packet that ends here, or noPosition
	serial   uint32 // of the stream the page belongs to
	sequence uint32 // of the page in its stream
	lacing   []byte // segment lengths
	body     []byte
}

// append writes p after b, checksum included.
func (p *page) append(b []byte) []byte {
	start := len(b)
	b = append(b, capture...)
	b = append(b, 0, p.flags)
	b = binary.LittleEndian.AppendUint64(b, uint64(p.granule))
	b = binary.LittleEndian.AppendUint32(b, p.serial)
	b = binary.LittleEndian.AppendUint32(b, p.sequence)
	b = append(b, 0, 0, 0, 0, byte(len(p.lacing)))
	b = append(b, p.lacing...)
	b = append(b, p.body...)
	binary.LittleEndian.PutUint32(b[start+22:], crc(0, b[start:]))
	return b
}

// read fills p with the page at the start of r and says how many bytes it took.
// It returns io.EOF if there is not one byte left, [ErrTruncated] if the page is
// cut short and [ErrCorrupt] if it is not a page or its checksum is wrong. The
// slices of p are overwritten by the next read.
func (p *page) read(r io.Reader) (int64, error) {
	var head [pageHeader]byte
	n, err := io.ReadFull(r, head[:])
	if err != nil {
		return int64(n), cutShort(err, n == 0)
	}
	if string(head[:4]) != capture {
		return int64(n), fmt.Errorf("%w: no Ogg page where one should begin", ErrCorrupt)
	}
	if head[4] != 0 {
		return int64(n), fmt.Errorf("%w: Ogg version %d, only 0 is known", ErrCorrupt, head[4])
	}
	p.flags = head[5]
	p.granule = int64(binary.LittleEndian.Uint64(head[6:]))
	p.serial = binary.LittleEndian.Uint32(head[14:])
	p.sequence = binary.LittleEndian.Uint32(head[18:])
	want := binary.LittleEndian.Uint32(head[22:])

	p.lacing = resize(p.lacing, int(head[26]))
	m, err := io.ReadFull(r, p.lacing)
	n += m
	if err != nil {
		return int64(n), cutShort(err, false)
	}
	size := 0
	for _, l := range p.lacing {
		size += int(l)
	}
	p.body = resize(p.body, size)
	m, err = io.ReadFull(r, p.body)
	n += m
	if err != nil {
		return int64(n), cutShort(err, false)
	}

	clear(head[22:26])
	if got := crc(crc(crc(0, head[:]), p.lacing), p.body); got != want {
		return int64(n), fmt.Errorf("%w: checksum of page %d is %08x, should be %08x", ErrCorrupt, p.sequence, got, want)
	}
	return int64(n), nil
}

// cutShort turns the end of the file into ErrTruncated, unless it comes at a
// page boundary, and leaves read errors as they are.
func cutShort(err error, boundary bool) error {
	switch {
	case errors.Is(err, io.EOF) && boundary:
		return io.EOF
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return ErrTruncated
	}
	return err
}

func resize(b []byte, n int) []byte {
	if cap(b) < n {
		return make([]byte, n)
	}
	return b[:n]
}

// crcTable is for the polynomial 0x04c11db7, most significant bit first (RFC
// 3533 §6). hash/crc32 has it reflected only.
var crcTable = func() (t [256]uint32) {
	for i := range t {
		r := uint32(i) << 24
		for range 8 {
			carry := r >> 31
			r = r<<1 ^ carry*0x04c11db7
		}
		t[i] = r
	}
	return t
}()

// crc continues the checksum sum over b.
func crc(sum uint32, b []byte) uint32 {
	for _, c := range b {
		sum = sum<<8 ^ crcTable[byte(sum>>24)^c]
	}
	return sum
}
