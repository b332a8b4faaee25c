package provider

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
)

// typical is a record as the provider sends it, about 650 bytes.
const typical = `{"fec_alta":"2023-04-05T06:07:08.901Z","user_name":"María Fernández Ñuñez","codigo_zip":"02139-4307",` +
	`"credit_card_num":"4539-1488-0343-6467","credit_card_ccv":"731","cuenta_numero":"00412345678901",` +
	`"direccion":"742 Evergreen Terrace, Springfield","geo_latitud":"-34.6037","geo_longitud":"-58.3816",` +
	`"color_favorito":"azul","foto_dni":"https://photos.example/dni/1048576.jpg","ip":"203.0.113.77",` +
	`"auto":"Toyota","auto_modelo":"Corolla","auto_tipo":"sedan","auto_color":"rojo",` +
	`"cantidad_compras_realizadas":48213,"avatar":"https://avatars.example/1048576.png",` +
	`"fec_birthday":"1985-11-23T14:02:41.120Z","id":"1048576"}`

func benchmarkArray(n int) []byte {
	return []byte("[" + strings.Repeat(typical+",", n-1) + typical + "]")
}

func BenchmarkSplit(b *testing.B) { benchmarkRecords(b, func(element) {}) }

func BenchmarkSplitAndDecode(b *testing.B) {
	benchmarkRecords(b, func(e element) { _ = e.record() })
}

func BenchmarkDecodeRecord(b *testing.B) {
	data := []byte(typical)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		_ = DecodeRecord(data)
	}
}

// benchmarkRecords reads an array of a thousand records again and again.
func benchmarkRecords(b *testing.B, each func(element)) {
	const n = 1000
	array := benchmarkArray(n)
	b.SetBytes(int64(len(array)))
	b.ReportAllocs()
	for b.Loop() {
		s := newSplitter(bytes.NewReader(array), 256<<10)
		for {
			e, err := s.next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				b.Fatal(err)
			}
			each(e)
		}
	}
	b.ReportMetric(float64(b.N)*n/b.Elapsed().Seconds(), "records/s")
}
