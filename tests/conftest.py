"""What holds for all tests: the CPU unless asked otherwise, strict promotion, a compilation cache that stays."""

import os
from pathlib import Path

os.environ.setdefault("JAX_PLATFORMS", "cpu")
# Compiling is most of the time of the tests, and their programs run for milliseconds: without LLVM's optimisations, in
# one piece and with XLA's older emitters a learner compiles six times as fast. `make demo` and the benchmarks run as
# users do.
os.environ.setdefault(
    "XLA_FLAGS",
    "--xla_backend_optimization_level=0 --xla_cpu_parallel_codegen_split_count=1 --xla_cpu_use_fusion_emitters=false",
)

import jax
from hypothesis import settings

ROOT = Path(__file__).resolve().parents[1]

jax.config.update("jax_num_cpu_devices", 2)  # as the command line has on the smallest machine
jax.config.update("jax_numpy_dtype_promotion", "strict")
jax.config.update("jax_numpy_rank_promotion", "raise")
jax.config.update("jax_compilation_cache_dir", str(ROOT / ".cache" / "jax"))
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.1)
jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)

# Examples drawn from the test's own name: a failure seen once is seen by everybody.
settings.register_profile("coterie", deadline=None, derandomize=True, database=None, max_examples=25)
settings.load_profile("coterie")
