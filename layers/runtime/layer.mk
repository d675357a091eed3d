# The dependencies of the functions: wheels for Lambda's Python and processor, whatever machine this runs on.
# Included by arm64/Makefile and x86_64/Makefile, which set MACHINE; SAM sets ARTIFACTS_DIR.

PYTHON ?= python3
TARGET := $(ARTIFACTS_DIR)/python
# glibc of Amazon Linux 2023 is 2.34; pip does not know that one tag covers the older ones.
PLATFORMS := $(foreach tag,manylinux_2_34 manylinux_2_28 manylinux_2_27 manylinux_2_26 manylinux_2_24 manylinux_2_17 \
	manylinux2014,--platform $(tag)_$(MACHINE))

include $(LAYERS)/compile.mk

.PHONY: build-RuntimeLayer
build-RuntimeLayer:
	$(PYTHON) -m pip install --quiet --disable-pip-version-check --no-compile --no-deps --require-hashes \
		--only-binary=:all: --implementation cp --python-version 3.13 $(PLATFORMS) \
		--target "$(TARGET)" -r runtime.txt
	@# onnxruntime: the shared library for C programs (Python has its own), converters and tools for models.
	rm -rf "$(TARGET)"/onnxruntime/capi/libonnxruntime.so* "$(TARGET)"/onnxruntime/capi/libonnxruntime_providers_shared.so \
		"$(TARGET)"/onnxruntime/{backend,datasets,quantization,tools,transformers}
	@# numpy: compilers, headers, static libraries, type stubs.
	rm -rf "$(TARGET)"/numpy/{f2py,distutils,_pyinstaller} "$(TARGET)"/numpy/_core/{include,lib} "$(TARGET)"/numpy/random/lib
	rm -rf "$(TARGET)"/bin
	find "$(TARGET)" -depth -type d \( -name tests -o -name __pycache__ \) -exec rm -rf {} +
	find "$(TARGET)" -type f \( -name '*.pyi' -o -name '*.pxd' -o -name '*.pyx' -o -name '*.h' -o -name '*.a' \) -delete
	$(COMPILE)
