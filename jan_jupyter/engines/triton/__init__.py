"""Engine `nvidia-triton-trt-llm`: a Triton server, by HTTP and gRPC."""
