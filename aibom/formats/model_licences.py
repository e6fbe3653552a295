"""Model and data licences that SPDX gives no identifier, and the words by which people write licences that it does.

Many releases are under a licence that limits what the model may be used for. Software tables do not know these, and a
reader who maps them to the nearest identifier tells users that they may do what they may not. Names follow the
licence keywords of the Hugging Face Hub, then the titles of the licences themselves.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownLicence:
    """A licence that has a name and no SPDX identifier, or a family of licences whose version was not said."""

    name: str
    family: str
    use_restrictions: bool
    """Whether it forbids purposes of use: by a list of forbidden uses, or by allowing research alone."""
    url: str
    keys: tuple[str, ...]
    """How it is written, as `licences.key_of` folds it."""


def _known(name: str, family: str, keys: str, url: str = "", *, restricts: bool = True) -> KnownLicence:
    return KnownLicence(name=name, family=family, use_restrictions=restricts, url=url, keys=tuple(keys.split()))


_HUB = "https://huggingface.co/"
_LLAMA = "https://www.llama.com/"

KNOWN = (
    _known("OpenRAIL licence family", "openrail", "openrail openrail-m open-rail open-rail-m",
          "https://www.licenses.ai/"),
    _known("BigScience OpenRAIL-M", "openrail", "bigscience-openrail-m bigscience-open-rail-m",
          "https://www.licenses.ai/"),
    _known("BigScience RAIL License v1.0", "openrail", "bigscience-bloom-rail-1.0 bigscience-rail-1.0",
           _HUB + "spaces/bigscience/license"),
    _known("CreativeML Open RAIL-M", "openrail", "creativeml-openrail-m creativeml-open-rail-m",
           _HUB + "spaces/CompVis/stable-diffusion-license"),
    _known("CreativeML Open RAIL++-M", "openrail",
           "openrail++ openrail++-m open-rail++-m creativeml-openrail++-m creativeml-open-rail++-m",
           _HUB + "stabilityai/stable-diffusion-xl-base-1.0/blob/main/LICENSE.md"),
    _known("BigCode OpenRAIL-M v1", "openrail",
           "bigcode-openrail-m bigcode-openrail-m-1 bigcode-open-rail-m bigcode-open-rail-m-1",
           _HUB + "spaces/bigcode/bigcode-model-license-agreement"),
    _known("Llama 2 Community License Agreement", "llama",
           "llama2 llama-2 llama2-community llama-2-community llama-2-community-agreement", _LLAMA + "llama2/license/"),
    _known("Llama 3 Community License Agreement", "llama",
           "llama3 llama-3 meta-llama-3-community llama3-community llama-3-community llama-3-community-agreement "
           "meta-llama-3-community-agreement", _LLAMA + "llama3/license/"),
    _known("Llama 3.1 Community License Agreement", "llama",
           "llama3.1 llama-3.1 llama3.1-community llama-3.1-community llama-3.1-community-agreement",
           _LLAMA + "llama3_1/license/"),
    _known("Llama 3.2 Community License Agreement", "llama",
           "llama3.2 llama-3.2 llama3.2-community llama-3.2-community llama-3.2-community-agreement",
           _LLAMA + "llama3_2/license/"),
    _known("Llama 3.3 Community License Agreement", "llama",
           "llama3.3 llama-3.3 llama3.3-community llama-3.3-community llama-3.3-community-agreement",
           _LLAMA + "llama3_3/license/"),
    _known("Llama 4 Community License Agreement", "llama",
           "llama4 llama-4 llama4-community llama-4-community llama-4-community-agreement", _LLAMA + "llama4/license/"),
    _known("Gemma Terms of Use", "gemma", "gemma gemma-terms-of-use", "https://ai.google.dev/gemma/terms"),
    _known("DeepFloyd IF Research License Agreement", "deepfloyd",
           "deepfloyd-if deepfloyd-if-research deepfloyd-if-research-agreement",
           _HUB + "spaces/DeepFloyd/deepfloyd-if-license"),
    _known("Apple Machine Learning Research Model License Agreement", "apple",
           "apple-amlr apple-machine-learning-research-model apple-machine-learning-research-model-agreement"),
    _known("Apple Sample Code License", "apple", "apple-ascl apple-sample-code", restricts=False),
    _known("FAIR Noncommercial Research License", "fair", "fair-noncommercial-research",
           _HUB + "facebook/fair-noncommercial-research-license"),
    _known("Intel Research Use License Agreement", "intel", "intel-research intel-research-use-agreement"),
    _known("H Research License", "h-research", "h-research"),
    _known("Grok 2 Community License Agreement", "grok", "grok2-community grok-2-community grok-2-community-agreement",
           _HUB + "xai-org/grok-2/blob/main/LICENSE"),
    _known("LFM Open License v1.0", "lfm", "lfm1.0 lfm-1.0 lfm-open-1.0", restricts=False),
    _known("Mistral AI Research License", "mistral", "mrl mrl-0.1 mistral-ai-research mistral-research",
           "https://mistral.ai/licenses/MRL-0.1.md"),
    _known("Mistral AI Non-Production License", "mistral",
           "mnpl mnpl-0.1 mistral-ai-non-production mistral-non-production", "https://mistral.ai/licenses/MNPL-0.1.md"),
    _known("Falcon 2 11B TII License", "falcon", "falcon-2-11b-tii falcon-2-11b-tii-1.0"),
    _known("Falcon LLM licence family", "falcon", "falcon-llm falcon-tii tii-falcon",
           "https://falconllm.tii.ae/"),
    _known("DeepSeek License Agreement", "deepseek", "deepseek deepseek-agreement deepseek-1.0 deepseek-agreement-1.0"),
    _known("Qwen License Agreement", "qwen", "qwen qwen-agreement"),
    _known("Qwen Research License Agreement", "qwen", "qwen-research qwen-research-agreement"),
    _known("Tongyi Qianwen License Agreement", "qwen", "tongyi-qianwen tongyi-qianwen-agreement"),
    _known("NVIDIA Open Model License Agreement", "nvidia", "nvidia-open-model nvidia-open-model-agreement"),
    _known("Stability AI Community License Agreement", "stability",
           "stability-ai-community stabilityai-ai-community stability-ai-community-agreement",
           "https://stability.ai/license"),
    _known("Stability AI Non-Commercial Research Community License Agreement", "stability",
           "stability-ai-nc-research-community stabilityai-nc-research-community "
           "stability-ai-non-commercial-research-community-agreement stability-ai-non-commercial-research-community"),
    _known("FLUX.1 [dev] Non-Commercial License", "flux",
           "flux-1-dev-non-commercial flux.1-dev-non-commercial flux-1-dev-non-commercial-agreement",
           _HUB + "black-forest-labs/FLUX.1-dev/blob/main/LICENSE.md"),
    _known("Tencent Hunyuan Community License Agreement family", "hunyuan",
           "tencent-hunyuan-community tencent-hunyuan-community-agreement hunyuan-community"),
    _known("OpenMDW License Agreement", "openmdw", "openmdw open-mdw openmdw-agreement", "https://openmdw.ai/",
          restricts=False),
    _known("OpenMDW License Agreement, version 1.1", "openmdw", "openmdw-1.1 open-mdw-1.1 openmdw-agreement-1.1",
           "https://openmdw.ai/", restricts=False),
    # Families: what is written leaves the version open, and each version has its own identifier.
    _known("BSD licence family", "bsd", "bsd bsd-family", restricts=False),
    _known("Creative Commons licence family", "cc",
          "cc creative-commons creativecommons cc-by cc-by-sa cc-by-nc cc-by-nd "
           "cc-by-nc-sa cc-by-nc-nd", "https://creativecommons.org/share-your-work/cclicenses/", restricts=False),
    _known("GNU General Public License family", "gpl", "gpl gnu-gpl gnu-general-public gnu-general-public-gpl",
           "https://www.gnu.org/licenses/gpl.html", restricts=False),
    _known("GNU Lesser General Public License family", "lgpl",
           "lgpl gnu-lgpl gnu-lesser-general-public gnu-library-or-lesser-general-public-lgpl",
           "https://www.gnu.org/licenses/lgpl.html", restricts=False),
    _known("GNU Affero General Public License family", "agpl", "agpl gnu-agpl gnu-affero-general-public",
           "https://www.gnu.org/licenses/agpl.html", restricts=False),
    _known("GNU Free Documentation License family", "gfdl",
          "gfdl fdl gnu-fdl gnu-free-documentation gnu-free-documentation-fdl",
           "https://www.gnu.org/licenses/fdl.html", restricts=False),
    _known("Apache licence family", "apache", "apache apache-software asl", "https://www.apache.org/licenses/",
          restricts=False),
    _known("Mozilla Public License family", "mpl", "mpl mozilla-public", "https://www.mozilla.org/MPL/",
          restricts=False),
    _known("Eclipse Public License family", "epl", "epl eclipse-public", restricts=False),
    _known("Python Software Foundation License family", "psf", "psf python-software-foundation", restricts=False),
    _known("Public domain", "public-domain", "public-domain", restricts=False),
)  # fmt: skip

# Folded words → SPDX identifier, where the words name one licence and one version and are not the identifier itself.
SPDX_WORDS = {
    key: identifier
    for identifier, keys in {
        "Apache-2.0": "apache-2 apache-software-2.0 asl-2.0 apache-2.0-apache-2.0 al-2.0",
        "MIT": "mit expat mit-mit mit-expat",
        "ISC": "isc isc-iscl",
        "0BSD": "zero-clause-bsd 0-clause-bsd bsd-zero-clause",
        "BSD-2-Clause": "bsd-2 2-clause-bsd simplified-bsd bsd-simplified bsd-2-clause-simplified",
        "BSD-3-Clause": "bsd-3 3-clause-bsd new-bsd bsd-new modified-bsd revised-bsd bsd-3-clause-new-or-revised",
        "BSL-1.0": "boost-software-1.0 boost-1.0 boost-software-1.0-bsl-1.0",
        "BUSL-1.1": "business-source-1.1",
        "Unlicense": "unlicense unlicense-unlicense",
        "Zlib": "zlib zlib-libpng",
        "WTFPL": "wtfpl do-what-fuck-you-want-to-public do-what-fuck-you-want-to-public-wtfpl",
        "MPL-2.0": "mozilla-public-2.0 mozilla-public-2.0-mpl-2.0 mpl2",
        "EPL-2.0": "eclipse-public-2.0 eclipse-public-2.0-epl-2.0",
        "EPL-1.0": "eclipse-public-1.0 eclipse-public-1.0-epl-1.0",
        "EUPL-1.1": "european-union-public-1.1 european-union-public-1.1-eupl-1.1",
        "EUPL-1.2": "european-union-public-1.2 european-union-public-1.2-eupl-1.2",
        "GPL-2.0-only": "gpl-2 gpl-2.0 gnu-gpl-2 gnu-gpl-2.0 gnu-general-public-2 gnu-general-public-2.0 "
        "gnu-general-public-2-gpl-2",
        "GPL-2.0-or-later": "gpl-2+ gpl-2.0+ gnu-gpl-2-or-later gpl-2-or-later gnu-general-public-2-or-later "
        "gnu-general-public-2-or-later-gpl-2+",
        "GPL-3.0-only": "gpl-3 gpl-3.0 gnu-gpl-3 gnu-gpl-3.0 gnu-general-public-3 gnu-general-public-3.0 "
        "gnu-general-public-3-gpl-3",
        "GPL-3.0-or-later": "gpl-3+ gpl-3.0+ gnu-gpl-3-or-later gpl-3-or-later gnu-general-public-3-or-later "
        "gnu-general-public-3-or-later-gpl-3+",
        "LGPL-2.1-only": "lgpl-2.1 gnu-lesser-general-public-2.1",
        "LGPL-2.1-or-later": "lgpl-2.1+ gnu-lesser-general-public-2.1-or-later",
        "LGPL-2.0-only": "lgpl-2.0",
        "LGPL-2.0-or-later": "lgpl-2.0+",
        "LGPL-3.0-only": "lgpl-3 lgpl-3.0 gnu-lesser-general-public-3 gnu-lesser-general-public-3-lgpl-3",
        "LGPL-3.0-or-later": "lgpl-3+ lgpl-3.0+ gnu-lesser-general-public-3-or-later "
        "gnu-lesser-general-public-3-or-later-lgpl-3+",
        "AGPL-3.0-only": "agpl-3 agpl-3.0 gnu-agpl-3 gnu-agpl-3.0 gnu-affero-general-public-3",
        "AGPL-3.0-or-later": "agpl-3+ agpl-3.0+ gnu-affero-general-public-3-or-later "
        "gnu-affero-general-public-3-or-later-agpl-3+",
        "GPL-1.0-only": "gpl-1.0",
        "GPL-1.0-or-later": "gpl-1.0+",
        "AGPL-1.0-only": "agpl-1.0",
        "GFDL-1.1-only": "gfdl-1.1",
        "GFDL-1.2-only": "gfdl-1.2",
        "GFDL-1.3-only": "gfdl-1.3",
        "CC0-1.0": "cc0 cc-0 cc0-1.0-universal creative-commons-zero-1.0-universal "
        "cc0-1.0-universal-cc0-1.0-public-domain-dedication",
        "CC-BY-4.0": "creative-commons-attribution-4.0 creative-commons-attribution-4.0-international "
        "cc-by-4.0-international",
        "CC-BY-SA-4.0": "creative-commons-attribution-sharealike-4.0 creative-commons-attribution-share-alike-4.0 "
        "creative-commons-attribution-sharealike-4.0-international",
        "CC-BY-NC-4.0": "creative-commons-attribution-noncommercial-4.0 "
        "creative-commons-attribution-non-commercial-4.0 "
        "creative-commons-attribution-noncommercial-4.0-international",
        "CC-BY-NC-SA-4.0": "creative-commons-attribution-noncommercial-sharealike-4.0-international",
        "CC-BY-ND-4.0": "creative-commons-attribution-noderivatives-4.0-international",
        "CC-BY-NC-ND-4.0": "creative-commons-attribution-noncommercial-noderivatives-4.0-international",
        # Published in one version only, so that the name alone is enough.
        "ODbL-1.0": "odbl open-database open-database-odbl odc-odbl",
        "PDDL-1.0": "pddl odc-pddl open-data-commons-public-domain-dedication-and",
        "ODC-By-1.0": "odc-by open-data-commons-attribution",
        "LGPLLR": "lgpl-lr",
        "C-UDA-1.0": "c-uda",
        "etalab-2.0": "etalab-open-2.0",
        "OFL-1.1": "ofl sil-ofl-1.1 sil-open-font-1.1 sil-open-font-1.1-ofl-1.1",
        "PostgreSQL": "postgresql",
        "NCSA": "ncsa university-of-illinois/ncsa-open-source",
        "OpenMDW-1.0": "openmdw-1.0 open-mdw-1.0 openmdw-agreement-1.0",
    }.items()
    for key in keys.split()
}

# Identifiers that SPDX has deprecated without naming one successor that means the same.
DEPRECATED = (
    "BSD-2-Clause-FreeBSD", "BSD-2-Clause-NetBSD", "GPL-2.0-with-autoconf-exception", "GPL-2.0-with-bison-exception",
    "GPL-2.0-with-classpath-exception", "GPL-2.0-with-font-exception", "GPL-2.0-with-GCC-exception",
    "GPL-3.0-with-autoconf-exception", "GPL-3.0-with-GCC-exception", "Net-SNMP", "Nunit", "StandardML-NJ",
    "bzip2-1.0.5", "eCos-2.0", "wxWindows",
)  # fmt: skip

# SPDX identifiers of licences that forbid purposes of use.
RESTRICTS_USE = frozenset({"C-UDA-1.0", "Hippocratic-2.1", "JSON"})
