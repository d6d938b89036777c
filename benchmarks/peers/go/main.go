// The same figures with goroutines. Prints one number: nanoseconds per operation (bytes for memory).
package main

import (
	"fmt"
	"os"
	"runtime"
	"sort"
	"strings"
	"sync"
	"time"
)

func timed(count int, body func(int)) float64 {
	var times []float64
	for i := 0; i < 5; i++ {
		start := time.Now()
		body(count)
		times = append(times, float64(time.Since(start).Nanoseconds())/float64(count))
	}
	sort.Float64s(times)
	return times[2]
}

func pingPong(count int) {
	ping, pong := make(chan int), make(chan int)
	go func() {
		for v := range ping {
			pong <- v
		}
	}()
	for i := 0; i < count; i++ {
		ping <- i
		<-pong
	}
	close(ping)
}

func spawnJoin(count int) {
	for i := 0; i < count; i++ {
		done := make(chan struct{})
		go func() { close(done) }()
		<-done
	}
}

func spawnMany(count int) {
	for i := 0; i < count; i += 1000 {
		var group sync.WaitGroup
		group.Add(1000)
		for k := 0; k < 1000; k++ {
			go group.Done()
		}
		group.Wait()
	}
}

func yields(count int) {
	var group sync.WaitGroup
	group.Add(2)
	for k := 0; k < 2; k++ {
		go func() {
			for i := 0; i < count/2; i++ {
				runtime.Gosched()
			}
			group.Done()
		}()
	}
	group.Wait()
}

//go:noinline
func below(depth int, forever chan int) int {
	if depth > 0 {
		return below(depth-1, forever) + 1
	}
	return <-forever
}

func resident() float64 {
	content, _ := os.ReadFile("/proc/self/statm")
	var size, pages int
	fmt.Sscan(strings.TrimSpace(string(content)), &size, &pages)
	return float64(pages * os.Getpagesize())
}

func parkedBytes() float64 {
	forever := make(chan int)
	before := resident()
	for i := 0; i < 10000; i++ {
		go below(15, forever)
	}
	time.Sleep(200 * time.Millisecond)
	return (resident() - before) / 10000
}

func main() {
	runtime.GOMAXPROCS(1)
	switch os.Args[1] {
	case "spawn+join":
		fmt.Println(timed(100000, spawnJoin))
	case "spawn+join, 1,000 at a time":
		fmt.Println(timed(100000, spawnMany))
	case "sleep(0)":
		fmt.Println(timed(200000, yields))
	case "Event ping-pong", "Queue ping-pong":
		fmt.Println(timed(100000, pingPong))
	case "bytes per parked, depth 15":
		fmt.Println(parkedBytes())
	default:
		os.Exit(3)
	}
}
