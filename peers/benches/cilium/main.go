// Does with cilium/ebpf what the benches beside it do with other libraries. Reads lines "OPERATION MAP-ID OFFSET TIMES", and
// answers each with nanoseconds. Built by the benches, with Debian's golang and golang-github-cilium-ebpf-dev.
package main

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"os"
	"runtime"
	"syscall"
	"time"

	"github.com/cilium/ebpf"
)

// The entry that is accessed, as the benches have it.
const key = uint32(77)

type flow struct{ Values [8]uint64 }

var sink uint64

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func onCPU() time.Duration {
	var usage syscall.Rusage
	check(syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func readAll(m *ebpf.Map) {
	for at := uint32(0); at < m.MaxEntries(); at++ {
		var value uint64
		check(m.Lookup(at, &value))
		sink += value
	}
}

func run(operation string, m *ebpf.Map, offset, times int) time.Duration {
	start := time.Now()
	switch operation {
	case "set":
		for i := 0; i < times; i++ {
			check(m.Update(key, uint64(7), ebpf.UpdateAny))
		}
	case "get":
		for i := 0; i < times; i++ {
			var value uint64
			check(m.Lookup(key, &value))
			sink += value
		}
	case "set-struct":
		value := flow{}
		for i := 0; i < times; i++ {
			check(m.Update(key, &value, ebpf.UpdateAny))
		}
	case "get-struct":
		for i := 0; i < times; i++ {
			var value flow
			check(m.Lookup(key, &value))
			sink += value.Values[0]
		}
	case "batch":
		keys, values := make([]uint32, m.MaxEntries()), make([]uint64, m.MaxEntries())
		for i := 0; i < times; i++ {
			var next uint32
			n, err := m.BatchLookup(nil, &next, keys, values, nil)
			// These are the last, too.
			if n != len(keys) {
				panic(fmt.Sprintf("%d of %d: %v", n, len(keys), err))
			}
			sink += values[n-1]
		}
	case "change":
		for i := 0; i < times; i++ {
			value, err := m.LookupBytes(uint32(0))
			check(err)
			binary.LittleEndian.PutUint64(value[offset:], 7)
			check(m.Update(uint32(0), value, ebpf.UpdateAny))
		}
	case "poll":
		// Reads all entries every millisecond. What is answered is the time on a CPU.
		before := onCPU()
		for i := 1; i <= times; i++ {
			readAll(m)
			time.Sleep(time.Until(start.Add(time.Duration(i) * time.Millisecond)))
		}
		return onCPU() - before
	default:
		panic("unknown operation " + operation)
	}
	return time.Since(start)
}

func main() {
	// The benches pin the process to one CPU.
	runtime.GOMAXPROCS(1)
	maps := map[int]*ebpf.Map{}
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var operation string
		var id, offset, times int
		_, err := fmt.Sscan(lines.Text(), &operation, &id, &offset, &times)
		check(err)
		m, known := maps[id]
		if !known {
			m, err = ebpf.NewMapFromID(ebpf.MapID(id))
			check(err)
			maps[id] = m
		}
		fmt.Println(run(operation, m, offset, times).Nanoseconds())
	}
}
