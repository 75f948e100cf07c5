# Builds kube-apiserver and kube-controller-manager 1.20.2 from Debian's source package `kubernetes`.
#
# in:  $TARBALL  the package's upstream tarball        $DEBS  Debian's Go toolchain and reflect2, unpacked
#      $WORK     an empty folder (needs about 3 GB)    $OUT   where the two binaries go
# The hash of this text is part of the cache key: whatever changes here is built anew.
set -eu
version=1.20.2

export GOROOT="$DEBS/usr/lib/go-1.19" GOPATH="$WORK/gopath" GOCACHE="$WORK/cache" GOTMPDIR="$WORK" GOBIN="$WORK/bin"
export GO111MODULE=off CGO_ENABLED=0 GOPROXY=off GOFLAGS= GOENV=off
export PATH="$GOROOT/bin:$PATH"

tree="$GOPATH/src/k8s.io/kubernetes"
mkdir -p "$tree" "$GOBIN" "$GOCACHE"
tar -xzf "$TARBALL" --strip-components=1 -C "$tree"
cd "$tree"

# The vendored reflect2 1.0.1 walks Go's map type by a layout that ended with Go 1.17: the first write of a custom
# resource would crash the server.
rm -rf vendor/github.com/modern-go/reflect2
cp -r "$DEBS/usr/share/gocode/src/github.com/modern-go/reflect2" vendor/github.com/modern-go/reflect2

# The vendored validation takes a value for null when it shares its address with a zero value, as empty texts do since Go
# 1.18: the server would refuse custom resources that hold one.
validation=vendor/k8s.io/kube-openapi/pkg/validation/validate/type.go
sed -i 's/ || reflect.DeepEqual(reflect.Zero(reflect.TypeOf(data)), reflect.ValueOf(data))//' "$validation"
grep -q '^	if data == nil {$' "$validation"

# Upstream generates this one file at build time and does not ship it.
go install -p 2 ./vendor/k8s.io/kube-openapi/cmd/openapi-gen
inputs=$(cd "$GOPATH/src" && grep -rl --include='*.go' '^// +k8s:openapi-gen=true' \
        k8s.io/kubernetes/pkg k8s.io/kubernetes/cmd k8s.io/kubernetes/staging/src |
    grep -v -e /code-generator/ -e /sample-apiserver/ -e /testdata/ |
    sed -e 's|/staging/src/|/vendor/|' | xargs -n1 dirname | LC_ALL=C sort -u | paste -sd, -)
"$GOBIN/openapi-gen" --logtostderr -i "$inputs" -p k8s.io/kubernetes/pkg/generated/openapi -O zz_generated.openapi \
    -h vendor/k8s.io/code-generator/hack/boilerplate.go.txt -r "$WORK/violations.report"

stamp=
for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
    p="k8s.io/kubernetes/vendor/$package"
    stamp="$stamp -X $p.gitVersion=v$version -X $p.gitMajor=1 -X $p.gitMinor=20 -X $p.gitTreeState=archive"
done
mkdir -p "$OUT"
go build -p 2 -tags providerless -trimpath -ldflags "-s -w $stamp" -o "$OUT/" \
    ./cmd/kube-apiserver ./cmd/kube-controller-manager
