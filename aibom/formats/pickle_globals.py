"""Which names a pickle may load: the allow-list, the deny-list, and the judgement on one name.

The allow-list decides, because no list of dangerous names is ever complete: what stands on neither list is unknown. It
follows what PyTorch's weights-only unpickler permits, and adds inert built-in types, NumPy's reconstruction functions
and classes of the usual model libraries, each by name (`pickle_classes`).
"""

from enum import StrEnum

from aibom.formats.pickle_classes import is_borrowed, is_harmless_class


class Safety(StrEnum):
    """What loading a file can do, by what it names."""

    CLEAN = "clean"
    """Every name is known to be harmless."""
    UNKNOWN = "unknown"
    """Something is named, or hidden, that cannot be judged."""
    DANGEROUS = "dangerous"
    """Something is named that runs code or reaches files or the network."""


_RANK = {Safety.CLEAN: 0, Safety.UNKNOWN: 1, Safety.DANGEROUS: 2}


def worst(*levels: Safety) -> Safety:
    """The most severe level; clean if there is none."""
    return max(levels, key=_RANK.__getitem__, default=Safety.CLEAN)


def judge(module: str, name: str, *, script: bool = False) -> Safety:
    """Judge one name. `script`: the file is read by TorchScript's own unpickler, which resolves `__torch__` itself."""
    module = _PYTHON2.get(module, module)
    full = f"{module}.{name}"
    if full in _ALLOWED or (script and module.split(".", 1)[0] == "__torch__"):
        return Safety.CLEAN
    if _is_dangerous(module, name):
        return Safety.DANGEROUS
    return Safety.CLEAN if is_harmless_class(module, name) else Safety.UNKNOWN


def is_model_class(full_name: str) -> bool:
    """Whether a name looks like the class of a model or of a part of one."""
    root, _, rest = full_name.partition(".")
    return root in _MODEL_PACKAGES and rest.rsplit(".", 1)[-1].lstrip("_")[:1].isupper()


def shown(module: str, name: str) -> str:
    """A name as we print it: on one line, without characters that a terminal obeys."""
    full = f"{module}.{name}"
    return full if full.isprintable() else ascii(full)[1:-1]


def _is_dangerous(module: str, name: str) -> bool:
    if module == "builtins" and name in _DANGEROUS_BUILTINS:
        return True
    parts = module.split(".")
    if any(".".join(parts[: count + 1]) in _DANGEROUS_MODULES for count in range(min(len(parts), 8))):
        return True
    # A dotted name reaches through one module into another: `sklearn.base`, `os.system`.
    path = name.split(".")
    if any(part in _DANGEROUS_NAMES for part in path) or any(part in _REACHED_MODULES for part in path):
        return True
    return f"{module}.{name}" in _DANGEROUS_GLOBALS or is_borrowed(module, name)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _names(module: str, names: str) -> frozenset[str]:
    return frozenset(f"{module}.{name}" for name in names.split())


_PYTHON2 = {"__builtin__": "builtins", "copy_reg": "copyreg", "exceptions": "builtins"}

_INERT_TYPES = (
    "set frozenset bytearray complex slice range xrange list dict tuple int long float str unicode bytes bool"
)
_DANGEROUS_BUILTINS = _words(
    "compile getattr setattr delattr open input raw_input globals locals vars map filter apply file breakpoint help "
    "exit quit reduce reload intern __build_class__"
)

_DTYPES = (
    "float16 float32 float64 float128 longdouble int8 int16 int32 int64 intc intp uint8 uint16 uint32 uint64 uintc "
    "uintp bool bool_ str_ bytes_ void object_ complex64 complex128 datetime64 timedelta64 longlong ulonglong"
)
_STORAGES = (
    "FloatStorage DoubleStorage HalfStorage BFloat16Storage LongStorage IntStorage ShortStorage CharStorage "
    "ByteStorage BoolStorage ComplexFloatStorage ComplexDoubleStorage QInt8Storage QUInt8Storage QInt32Storage "
    "QUInt4x2Storage QUInt2x4Storage"
)
_TORCH = (
    "float16 float32 float64 bfloat16 half float double int8 int16 int32 int64 uint8 uint16 uint32 uint64 bool short "
    "int long complex32 complex64 complex128 qint8 quint8 qint32 float8_e4m3fn float8_e5m2 float8_e4m3fnuz "
    "float8_e5m2fnuz float8_e8m0fnu Size Tensor device per_tensor_affine per_channel_affine per_tensor_symmetric "
    "per_channel_symmetric per_channel_affine_float_qparams strided sparse_coo sparse_csr"
)
_REBUILD = (
    "_rebuild_tensor _rebuild_tensor_v2 _rebuild_tensor_v3 _rebuild_parameter _rebuild_parameter_with_state "
    "_rebuild_qtensor _rebuild_sparse_tensor _rebuild_sparse_csr_tensor _rebuild_nested_tensor "
    "_rebuild_meta_tensor_no_storage _rebuild_device_tensor_from_numpy _rebuild_device_tensor_from_cpu_tensor"
)
_SPARSE = "matrix array"
_SPARSE_KINDS = "bsr coo csc csr dia dok lil"

_ALLOWED = frozenset().union(
    _names("builtins", _INERT_TYPES + " object"),
    _names("collections", "OrderedDict Counter defaultdict deque"),
    _names("copyreg", "_reconstructor __newobj__ __newobj_ex__"),
    _names("datetime", "date datetime time timedelta timezone"),
    {"_codecs.encode", "decimal.Decimal", "fractions.Fraction"},
    _names("numpy", "ndarray dtype " + _DTYPES),
    *(_names(f"numpy.{core}.multiarray", "_reconstruct scalar") for core in ("core", "_core")),
    *(_names(f"numpy.{core}.numeric", "_frombuffer") for core in ("core", "_core")),
    _names("numpy.random._pickle", "__randomstate_ctor __generator_ctor __bit_generator_ctor"),
    _names("numpy.random", "__RandomState_ctor RandomState Generator"),
    {"numpy.random.mtrand.RandomState", "numpy.random._mt19937.MT19937", "numpy.random._pcg64.PCG64"},
    {"numpy.random.bit_generator.SeedSequence", "numpy.random.bit_generator.__pyx_unpickle_SeedSequence"},
    _names("numpy.ma.core", "_mareconstruct MaskedArray"),
    {"numpy.ma.MaskedArray"},
    {"joblib.numpy_pickle.NumpyArrayWrapper", "sklearn.externals.joblib.numpy_pickle.NumpyArrayWrapper"},
    {"sklearn.compose._column_transformer.make_column_selector", "_catboost._CatBoost"},
    {"sklearn.neighbors._kd_tree.newObj", "sklearn.neighbors._ball_tree.newObj"},
    {"sklearn.metrics._dist_metrics.newObj", "sklearn.neighbors._dist_metrics.newObj"},
    *(
        {f"scipy.sparse.{module}.{kind}_{ending}"}
        for kind in _SPARSE_KINDS.split()
        for ending in _SPARSE.split()
        for module in (kind, f"_{kind}")
    ),
    _names("torch", f"{_TORCH} {_STORAGES}"),
    _names("torch.cuda", _STORAGES),
    _names("torch._utils", _REBUILD),
    _names("torch._tensor", "_rebuild_from_type_v2"),
    {"torch.nn.parameter.Parameter", "torch.nn.parameter.Buffer", "torch.serialization._get_layout"},
    _names("torch.storage", "UntypedStorage TypedStorage _TypedStorage _UntypedStorage"),
    _names("torch.jit._pickle", "build_intlist build_tensorlist build_doublelist build_boollist restore_type_tag"),
)

_MODEL_PACKAGES = _words(
    "sklearn xgboost lightgbm catboost torch keras tensorflow transformers imblearn statsmodels gensim spacy "
    "sentence_transformers fastai ultralytics pytorch_lightning"
)

_DANGEROUS_MODULES = _words(
    # processes, the interpreter, the system
    "os posix nt subprocess _posixsubprocess sys runpy pty popen2 commands multiprocessing _multiprocessing "
    "concurrent asyncio signal _signal threading _thread code codeop pdb bdb cProfile profile trace timeit doctest "
    "inspect gc platform site sysconfig _sysconfigdata _osx_support _aix_support distutils setuptools pkg_resources "
    "pip ensurepip venv idlelib lib2to3 cgitb pydoc webbrowser antigravity ctypes _ctypes cffi mmap atexit "
    # imports
    "importlib _frozen_importlib _frozen_importlib_external imp zipimport pkgutil zipapp modulefinder "
    # files and the network
    "shutil socket _socket ssl _ssl socketserver http httplib urllib urllib2 ftplib smtplib telnetlib poplib imaplib "
    "nntplib xmlrpc requests httpx aiohttp urllib3 paramiko fabric tempfile fileinput glob zipfile tarfile sqlite3 "
    "logging.config nturl2path "
    # deserialisers and builders of code
    "pickle _pickle cPickle dill cloudpickle marshal shelve dbm types _testcapi _xxsubinterpreters "
    # parts of libraries that run or fetch things
    "torch.hub torch.package torch.fx torch.distributed.rpc torch.distributed.run torch.distributed.launch "
    "torch.distributed.elastic torch.multiprocessing torch._inductor torch._dynamo "
    "torch.utils.cpp_extension torch.utils.model_zoo torch.utils.bottleneck torch.utils.collect_env torch.testing "
    "torch.ops torch._ops torch.utils._config_module torch.onnx numpy.testing numpy.distutils numpy.f2py "
    "numpy.ctypeslib numpy.lib.npyio numpy.lib._npyio_impl sklearn.utils._joblib sklearn.utils._testing "
    "joblib.externals joblib.parallel joblib.memory joblib.pool joblib.executor pandas.io pandas.core.computation "
    "tensorflow.io tensorflow.python.lib.io tensorflow.python.platform IPython jinja2 mako ray.cloudpickle"
)
_DANGEROUS_NAMES = _words(
    "eval exec execfile system popen popen2 popen3 popen4 Popen spawnl spawnv spawnvp run_path run_module run_code "
    "runcode runsource runctx runstring check_output check_call getoutput getstatusoutput exec_command call_command "
    "import_module load_module exec_module find_module load_source __import__ import_string load loads load_model "
    "load_from_checkpoint read_pickle get_file urlopen urlretrieve write_text write_bytes unlink rmtree symlink_to "
    "open_code FileIO __globals__ __builtins__ __subclasses__ __getattribute__ __getattr__ __code__ __dict__ "
    "__class__ __base__ __bases__ __mro__ __reduce__ __reduce_ex__ __call__ __loader__ __spec__"
)
_REACHED_MODULES = _words(
    "os posix nt sys subprocess builtins __builtin__ importlib socket shutil ctypes pickle runpy pty"
)
_DANGEROUS_GLOBALS = frozenset().union(
    _names("io", "open"),
    _names("_io", "open"),
    _names("codecs", "open"),
    _names("copyreg", "add_extension pickle constructor"),
    _names("operator", "attrgetter methodcaller call"),
    _names("_operator", "attrgetter methodcaller call"),
    _names("functools", "partial partialmethod reduce"),
    _names("_functools", "partial reduce"),
    _names("uuid", "_get_command_stdout _popen"),
    _names("logging", "FileHandler"),
    _names("numpy", "save savez savetxt loadtxt genfromtxt fromfile memmap _ufunc_reconstruct"),
    *(_names(f"numpy.{core}", "_ufunc_reconstruct memmap") for core in ("core", "_core")),
    *(_names(f"numpy.{core}.memmap", "memmap") for core in ("core", "_core")),
    _names("torch", "save compile"),
    _names("torch.serialization", "save"),
    _names("joblib", "dump Memory Parallel delayed"),
    _names("pandas", "eval"),
)
