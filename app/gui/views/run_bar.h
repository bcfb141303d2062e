// The choices of the next run: model, device, precision, mode, counts. All have working defaults.
#pragma once

#include <QWidget>
#include <vector>

#include "app/gui/settings/app_settings.h"
#include "core/base/result.h"
#include "core/recording/gpu_facts.h"
#include "core/recording/recording.h"
#include "core/runner/model_catalog.h"

class QCheckBox;
class QComboBox;
class QSpinBox;

namespace gapscope {

class FoldingRow;

// What was found on this machine.
struct Machine {
    std::vector<FoundModel> models;
    FoundDevices found;
    FoundModel defaultModel;
};

class RunBar : public QWidget {
    Q_OBJECT

public:
    explicit RunBar(QWidget* parent = nullptr);

    void showMachine(const Machine& machine);
    void showDevices(const FoundDevices& found);
    // From now on no GPU can be chosen, for the reason of the sentence: CUDA refuses all further work.
    void refuseGpus(const QString& sentence);
    void chooseDevice(const QString& id);
    void setChoices(const RunChoices& choices);
    RunChoices choices() const;

    const FoundModel* model() const;  // null: none found
    QString deviceName() const;
    QString gpuVerdict() const;       // whether runs can use a GPU, and why not
    const RunDevice* device() const;  // that a run would take; null before the machine is known

    // The settings of a run with this prompt, or the sentence that says what is missing.
    Result<RecordingSettings> recordingSettings(const QString& prompt) const;

Q_SIGNALS:
    void changed();
    void browseForModel();
    void librariesWanted();  // what is there of NVIDIA's, and where it was looked for

private:
    void showDevice();
    void fillSpeculation();
    void tellChoices();
    void fillDevices();
    bool gpusRefused() const { return !m_refusal.isEmpty(); }

    FoldingRow* m_row;
    QComboBox* m_model;
    QComboBox* m_device;
    QComboBox* m_precision;
    QComboBox* m_mode;
    QComboBox* m_speculation;  // data: name, most drafts and the draft model's file, "ngram 4"
    QSpinBox* m_tokens;
    QSpinBox* m_warmup;
    QSpinBox* m_repeats;
    QSpinBox* m_batch;
    QCheckBox* m_chat;
    QCheckBox* m_reuse;
    std::vector<FoundModel> m_models;
    FoundDevices m_found;
    QString m_refusal;     // of all GPUs
    int m_lastDevice = 0;  // before the box was opened
    RunChoices m_wanted;   // what was asked for, also when the machine does not have it
};

QString modeTitle(Mode mode);
QString precisionTitle(Precision precision);
QString speculationTitle(Speculation kind, int64_t draftTokens);

}  // namespace gapscope
