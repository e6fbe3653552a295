"""The classes of model libraries that a pickle may make, name by name: the positive list behind the allow-list.

A capital letter is no sign of a harmless class: a library's modules hold what they import, a `Thread` or a
`NamedTemporaryFile` among it. So each class is listed, by package; its module does not count, because it moves with
every release, and whatever a package calls `LogisticRegression` is one. Names are those of scikit-learn 0.17 to 1.9,
XGBoost, LightGBM, CatBoost and SciPy. Classes that draw, export, log, or read data sets are no part of a model and
stay out.
"""


def is_harmless_class(module: str, name: str) -> bool:
    """Whether this is a class of a model library that does nothing but compute, however it is made."""
    parts = module.split(".")
    if not _ASIDE.isdisjoint(parts):
        return False
    if module == "numpy.dtypes":
        return name.isidentifier() and name.endswith("DType")
    plain = name.removeprefix("__pyx_unpickle_")  # Cython's reconstruction of the class named after it
    plain = plain.removesuffix("32") if plain.endswith("32") else plain.removesuffix("64")  # of two widths of number
    return plain in _CLASSES.get(parts[0], _NONE) or plain in _CLASSES.get(".".join(parts[:2]), _NONE)


def acts_when_made(module: str, name: str) -> bool:
    """Whether a class opens a file if it is made from a path; one that is filled by its state alone does not."""
    parts = module.split(".")
    return name in _ACTS.get(parts[0], _NONE) or name in _ACTS.get(".".join(parts[:2]), _NONE)


def is_borrowed(module: str, name: str) -> bool:
    """Whether a library's module is asked for what runs code, or reaches out, wherever it was imported from."""
    return name in _BORROWED and module.split(".", 1)[0] in _LENDERS and not acts_when_made(module, name)


CALLERS = frozenset(
    {
        "copyreg._reconstructor",
        "copy_reg._reconstructor",
        "numpy.random.__RandomState_ctor",
        "numpy.random._pickle.__generator_ctor",
        "numpy.random._pickle.__randomstate_ctor",
        "torch._tensor._rebuild_from_type_v2",
    }
)
"""Harmless by themselves, but they call or make what they are given."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_NONE: frozenset[str] = frozenset()

# Parts of packages in which nothing of a model lies.
_ASIDE = _words("tests testing conftest externals dask spark federated tracker")

_BASES = """
BaseEstimator BiclusterMixin ClassNamePrefixFeaturesOutMixin _ClassNamePrefixFeaturesOutMixin ClassifierMixin
ClusterMixin DensityMixin MetaEstimatorMixin MultiOutputMixin OneToOneFeatureMixin _OneToOneFeatureMixin OutlierMixin
RegressorMixin TransformerMixin SelectorMixin Bunch _BaseComposition _SetOutputMixin MetadataRequest
MethodMetadataRequest MetadataRouter MethodMapping MethodPair RouterMappingPair Tags ClassifierTags RegressorTags
InputTags TargetTags TransformerTags MissingValues
"""
_LINEAR = """
ARDRegression BayesianRidge ElasticNet ElasticNetCV GammaRegressor HuberRegressor Lars LarsCV Lasso LassoCV LassoLars
LassoLarsCV LassoLarsIC LinearRegression LogisticRegression LogisticRegressionCV MultiTaskElasticNet
MultiTaskElasticNetCV MultiTaskLasso MultiTaskLassoCV OrthogonalMatchingPursuit OrthogonalMatchingPursuitCV
PassiveAggressiveClassifier PassiveAggressiveRegressor Perceptron PoissonRegressor QuantileRegressor RANSACRegressor
RandomizedLasso RandomizedLogisticRegression Ridge RidgeCV RidgeClassifier RidgeClassifierCV SGDClassifier
SGDOneClassSVM SGDRegressor TheilSenRegressor TweedieRegressor GeneralizedLinearRegressor _GeneralizedLinearRegressor
_RidgeGCV _IdentityClassifier _IdentityRegressor LinearModelLoss LinearDiscriminantAnalysis
QuadraticDiscriminantAnalysis LDA QDA IsotonicRegression KernelRidge DummyClassifier DummyRegressor FrozenEstimator
LinearSVC LinearSVR NuSVC NuSVR OneClassSVM SVC SVR BernoulliNB CategoricalNB ComplementNB GaussianNB MultinomialNB
"""
_LOSSES = """
AbsoluteError BaseLoss ExponentialLoss HalfBinomialLoss HalfGammaLoss HalfMultinomialLoss HalfPoissonLoss
HalfSquaredError HalfTweedieLoss HalfTweedieLossIdentity HuberLoss PinballLoss HalfLogitLink IdentityLink Interval
LogLink LogitLink MultinomialLogit CyAbsoluteError CyExponentialLoss CyHalfBinomialLoss CyHalfGammaLoss
CyHalfMultinomialLoss CyHalfPoissonLoss CyHalfSquaredError CyHalfTweedieLoss CyHalfTweedieLossIdentity CyHuberLoss
CyLossFunction CyPinballLoss Hinge SquaredHinge Log ModifiedHuber SquaredLoss Huber EpsilonInsensitive
SquaredEpsilonInsensitive BinomialDeviance MultinomialDeviance LeastSquaresError LeastAbsoluteError HuberLossFunction
QuantileLossFunction QuantileEstimator MeanEstimator LogOddsEstimator ScaledLogOddsEstimator PriorProbabilityEstimator
ZeroEstimator LeastSquares LeastAbsoluteDeviation BinaryCrossEntropy CategoricalCrossEntropy Poisson NormalDistribution
PoissonDistribution GammaDistribution InverseGaussianDistribution TweedieDistribution
"""
_TREES = """
AdaBoostClassifier AdaBoostRegressor BaggingClassifier BaggingRegressor ExtraTreesClassifier ExtraTreesRegressor
GradientBoostingClassifier GradientBoostingRegressor HistGradientBoostingClassifier HistGradientBoostingRegressor
IsolationForest RandomForestClassifier RandomForestRegressor RandomTreesEmbedding StackingClassifier StackingRegressor
VotingClassifier VotingRegressor DecisionTreeClassifier DecisionTreeRegressor ExtraTreeClassifier ExtraTreeRegressor
Tree Criterion ClassificationCriterion RegressionCriterion Entropy Gini MAE MSE FriedmanMSE Splitter BestSplitter
BestSparseSplitter RandomSplitter RandomSparseSplitter PresortBestSplitter DepthFirstTreeBuilder BestFirstTreeBuilder
TreeNode TreePredictor _BinMapper MonotonicConstraint
"""
_UNSUPERVISED = """
AffinityPropagation AgglomerativeClustering Birch BisectingKMeans DBSCAN FeatureAgglomeration HDBSCAN KMeans MeanShift
MiniBatchKMeans OPTICS SpectralBiclustering SpectralClustering SpectralCoclustering _BisectingTree _CFNode
_CFSubcluster EllipticEnvelope EmpiricalCovariance GraphLasso GraphLassoCV GraphicalLasso GraphicalLassoCV LedoitWolf
MinCovDet OAS ShrunkCovariance CCA PLSCanonical PLSRegression PLSSVD DictionaryLearning FactorAnalysis FastICA
IncrementalPCA KernelPCA LatentDirichletAllocation MiniBatchDictionaryLearning MiniBatchNMF MiniBatchSparsePCA NMF PCA
ProjectedGradientNMF RandomizedPCA SparseCoder SparsePCA TruncatedSVD BayesianGaussianMixture GaussianMixture DPGMM GMM
VBGMM ClassicalMDS Isomap LocallyLinearEmbedding MDS SpectralEmbedding TSNE BernoulliRBM LabelPropagation
LabelSpreading SelfTrainingClassifier
"""
_NEIGHBOURS = """
BallTree BinaryTree KDTree KNeighborsClassifier KNeighborsRegressor KNeighborsTransformer KernelDensity
LocalOutlierFactor NearestCentroid NearestNeighbors NeighborhoodComponentsAnalysis RadiusNeighborsClassifier
RadiusNeighborsRegressor RadiusNeighborsTransformer LSHForest _QuadTree DistanceMetric BrayCurtisDistance
CanberraDistance ChebyshevDistance DiceDistance EuclideanDistance HammingDistance HaversineDistance JaccardDistance
KulsinskiDistance MahalanobisDistance ManhattanDistance MatchingDistance MinkowskiDistance RogersTanimotoDistance
RussellRaoDistance SEuclideanDistance SokalMichenerDistance SokalSneathDistance WMinkowskiDistance CompoundKernel
ConstantKernel DotProduct ExpSineSquared Exponentiation GaussianProcess GaussianProcessClassifier
GaussianProcessRegressor Hyperparameter Matern PairwiseKernel Product RBF RationalQuadratic Sum WhiteKernel
_BinaryGaussianProcessClassifierLaplace
"""
_PREPARATION = """
CountVectorizer DictVectorizer FeatureHasher HashingVectorizer PatchExtractor TfidfTransformer TfidfVectorizer
GenericUnivariateSelect RFE RFECV SelectFdr SelectFpr SelectFromModel SelectFwe SelectKBest SelectPercentile
SequentialFeatureSelector VarianceThreshold IterativeImputer KNNImputer MissingIndicator SimpleImputer Imputer
_ImputerTriplet AdditiveChi2Sampler Nystroem PolynomialCountSketch RBFSampler SkewedChi2Sampler Binarizer
CategoricalEncoder FunctionTransformer KBinsDiscretizer KernelCenterer LabelBinarizer LabelEncoder MaxAbsScaler
MinMaxScaler MultiLabelBinarizer Normalizer OneHotEncoder OrdinalEncoder PolynomialFeatures PowerTransformer
QuantileTransformer RobustScaler SplineTransformer StandardScaler TargetEncoder GaussianRandomProjection
SparseRandomProjection
"""
_COMBINATION = """
Pipeline FeatureUnion ColumnTransformer TransformedTargetRegressor _RemainderColsList CalibratedClassifierCV
_CalibratedClassifier _SigmoidCalibration _TemperatureScaling OneVsOneClassifier OneVsRestClassifier
OutputCodeClassifier _ConstantPredictor ClassifierChain MultiOutputClassifier MultiOutputRegressor RegressorChain
MLPClassifier MLPRegressor AdamOptimizer SGDOptimizer GridSearchCV RandomizedSearchCV HalvingGridSearchCV
HalvingRandomSearchCV FixedThresholdClassifier TunedThresholdClassifierCV GroupKFold GroupShuffleSplit KFold
LeaveOneGroupOut LeaveOneOut LeavePGroupsOut LeavePOut ParameterGrid ParameterSampler PredefinedSplit RepeatedKFold
RepeatedStratifiedKFold ShuffleSplit StratifiedGroupKFold StratifiedKFold StratifiedShuffleSplit TimeSeriesSplit
_CVIterableWrapper _Scorer _PredictScorer _ProbaScorer _ThresholdScorer _MultimetricScorer _PassthroughScorer
_CurveScorer
"""
_QHULL = "ConvexHull Delaunay HalfspaceIntersection Voronoi"
_CLASSES = {
    "sklearn": _words(_BASES + _LINEAR + _LOSSES + _TREES + _UNSUPERVISED + _NEIGHBOURS + _PREPARATION + _COMBINATION),
    "xgboost": _words(
        "Booster XGBModel XGBClassifier XGBRegressor XGBRanker XGBRFClassifier XGBRFRegressor XGBoostLabelEncoder "
        "EarlyStopping EvaluationMonitor LearningRateScheduler"
    ),
    "lightgbm": _words(
        "Booster LGBMModel LGBMClassifier LGBMRegressor LGBMRanker _EvalFunctionWrapper _ObjectiveFunctionWrapper"
    ),
    "catboost": _words("CatBoost CatBoostClassifier CatBoostRegressor CatBoostRanker"),
    "scipy.interpolate": _words(
        "AAA Akima1DInterpolator BPoly BSpline BarycentricInterpolator BivariateSpline CloughTocher2DInterpolator "
        "CubicHermiteSpline CubicSpline FloaterHormannInterpolator InterpolatedUnivariateSpline KroghInterpolator "
        "LSQBivariateSpline LSQSphereBivariateSpline LSQUnivariateSpline LinearNDInterpolator NdBSpline NdPPoly "
        "NearestNDInterpolator PPoly PchipInterpolator RBFInterpolator Rbf RectBivariateSpline "
        "RectSphereBivariateSpline RegularGridInterpolator SmoothBivariateSpline SmoothSphereBivariateSpline "
        "SphereBivariateSpline UnivariateSpline interp1d interp2d"
    ),
    "scipy.spatial": _words(
        f"{_QHULL} KDTree cKDTree cKDTreeNode Rectangle RigidTransform Rotation RotationSpline Slerp SphericalVoronoi"
    ),
}

# Made from a path, they read it; Qhull's options can name a file to write.
_ACTS = {
    "xgboost": _words(
        "Booster DMatrix QuantileDMatrix DeviceQuantileDMatrix ExtMemQuantileDMatrix _ProxyDMatrix _PackedBooster"
    ),
    "lightgbm": _words("Booster CVBooster Dataset _InnerPredictor"),
    "catboost": _words("Pool CatboostEvaluation _FoldFile _SimpleDataReader _SimpleStreamingFileReader"),
    "_catboost": _words("_PoolBase"),
    "scipy.spatial": _words(f"{_QHULL} _Qhull"),
}

_LENDERS = _words(
    "sklearn xgboost lightgbm catboost scipy numpy joblib pandas torch keras tensorflow transformers imblearn "
    "statsmodels gensim spacy sentence_transformers fastai ultralytics pytorch_lightning"
)
_BORROWED = _words(
    "Client Listener Connection Socket SocketType Server HTTPServer TCPServer UDPServer Request SMTP FTP IMAP4 "
    "Thread Timer ThreadPool ThreadPoolExecutor Process ProcessPoolExecutor Pool Popen BaseManager SyncManager "
    "Parallel Memory partial partialmethod MethodType FunctionType LambdaType CodeType ModuleType CDLL PyDLL WinDLL "
    "NamedTemporaryFile TemporaryFile TemporaryDirectory SpooledTemporaryFile FileIO ZipFile TarFile GzipFile BZ2File "
    "LZMAFile FileHandler RotatingFileHandler SocketHandler HTTPHandler Unpickler Pickler Shelf "
    "SourceFileLoader ExtensionFileLoader"
)
